import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.utils.AppInfoParser;

/** Drives Apache Kafka's own client: one request a line on standard input, one answer a line on standard output. */
public final class Driver {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String BROKERS = System.getenv("KAFKA_BROKERS");
    private static final StringSerializer TO_BYTES = new StringSerializer();
    private static final StringDeserializer TO_TEXT = new StringDeserializer();
    private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

    private final Admin admin = Admin.create(Map.of("bootstrap.servers", BROKERS));
    private final Map<String, KafkaProducer<String, String>> producers = new ConcurrentHashMap<>();
    private final Map<String, Boolean> open = new ConcurrentHashMap<>();
    private volatile Member member;

    public static void main(String[] args) throws Exception {
        System.setOut(System.err);
        Driver driver = new Driver();
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            JsonNode request = JSON.readTree(line);
            // A member answers "seen" while another request is running.
            new Thread(() -> driver.answer(request)).start();
        }
        Runtime.getRuntime().halt(0);
    }

    private void answer(JsonNode request) {
        Map<String, Object> answer = new HashMap<>();
        answer.put("id", request.get("id").asLong());
        try {
            answer.put("result", serve(request.get("do").asText(), request));
        } catch (Throwable error) {
            String told = error.toString();
            for (Throwable cause = error.getCause(); cause != null; cause = cause.getCause()) told += " <- " + cause;
            answer.put("error", told);
        }
        synchronized (OUT) {
            try {
                OUT.println(JSON.writeValueAsString(answer));
            } catch (Exception error) {
                throw new IllegalStateException(error);
            }
        }
    }

    private Object serve(String command, JsonNode request) throws Exception {
        String topic = request.path("topic").asText();
        switch (command) {
            case "about":
                return Map.of("version", AppInfoParser.getVersion());
            case "create": {
                NewTopic made = new NewTopic(topic, request.get("partitions").asInt(), (short) 1);
                admin.createTopics(List.of(made.configs(textsOf(request.get("configs"))))).all().get();
                return null;
            }
            case "partitions":
                return admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size();
            case "configs": {
                ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
                Map<String, String> found = new HashMap<>();
                admin.describeConfigs(List.of(resource)).all().get().get(resource).entries()
                    .forEach(entry -> found.put(entry.name(), entry.value()));
                return found;
            }
            case "alter": {
                List<AlterConfigOp> changes = new ArrayList<>();
                textsOf(request.get("configs")).forEach((name, value) ->
                    changes.add(new AlterConfigOp(new ConfigEntry(name, value), AlterConfigOp.OpType.SET)));
                ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
                admin.incrementalAlterConfigs(Map.of(resource, (Collection<AlterConfigOp>) changes)).all().get();
                return null;
            }
            case "grow":
                admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(request.get("partitions").asInt()))).all().get();
                return null;
            case "delete":
                admin.deleteTopics(List.of(topic)).all().get();
                return null;
            case "topics":
                return admin.listTopics().names().get();
            case "produce":
                produce(topic, request.get("codec").asText(), request.get("records"));
                return null;
            case "read":
                return read(topic, request);
            case "offsetAt":
                return offsetAt(new TopicPartition(topic, request.get("partition").asInt()), request.get("timestamp").asLong());
            case "join":
                member = new Member(request.get("group").asText(), topic);
                member.start();
                return null;
            case "seen":
                return Map.of("values", List.copyOf(member.values), "assigned", member.assigned);
            case "leave":
                member.isOver = true;
                member.join();
                return null;
            case "begin": {
                KafkaProducer<String, String> producer = producer(Map.of("transactional.id", request.get("transactionalId").asText()));
                producer.initTransactions();
                producers.put(request.get("producer").asText(), producer);
                return null;
            }
            case "transact":
                transact(request.get("producer").asText(), topic, request.get("values"), request.get("end").asText());
                return null;
            case "copy":
                copy(request);
                return null;
            default:
                throw new IllegalArgumentException("no such command: " + command);
        }
    }

    private static Map<String, String> textsOf(JsonNode node) {
        Map<String, String> texts = new HashMap<>();
        node.fields().forEachRemaining(field -> texts.put(field.getKey(), field.getValue().asText()));
        return texts;
    }

    private static KafkaProducer<String, String> producer(Map<String, Object> settings) {
        Map<String, Object> all = new HashMap<>(Map.of("bootstrap.servers", BROKERS, "linger.ms", 100));
        all.putAll(settings);
        return new KafkaProducer<>(all, TO_BYTES, TO_BYTES);
    }

    private static KafkaConsumer<String, String> consumer(Map<String, Object> settings) {
        Map<String, Object> all = new HashMap<>(Map.of(
            "bootstrap.servers", BROKERS, "auto.offset.reset", "earliest", "fetch.max.wait.ms", 100));
        all.putAll(settings);
        return new KafkaConsumer<>(all, TO_TEXT, TO_TEXT);
    }

    private static KafkaConsumer<String, String> memberOf(String group, Map<String, Object> settings) {
        Map<String, Object> all = new HashMap<>(Map.of(
            "group.id", group, "session.timeout.ms", 6000, "heartbeat.interval.ms", 500, "auto.commit.interval.ms", 100));
        all.putAll(settings);
        return consumer(all);
    }

    private static void produce(String topic, String codec, JsonNode records) throws Exception {
        try (KafkaProducer<String, String> producer = producer(Map.of("compression.type", codec))) {
            List<Future<?>> sent = new ArrayList<>();
            for (JsonNode one : records) {
                ProducerRecord<String, String> made = new ProducerRecord<>(
                    topic, one.get("partition").asInt(), one.get("timestamp").asLong(),
                    one.get("key").textValue(), one.get("value").textValue());
                textsOf(one.get("headers")).forEach((name, value) -> made.headers().add(name, value.getBytes(StandardCharsets.UTF_8)));
                sent.add(producer.send(made));
            }
            producer.flush();
            for (Future<?> one : sent) one.get();
        }
    }

    private static List<Object> read(String topic, JsonNode request) {
        int count = request.get("count").asInt();
        List<TopicPartition> partitions = IntStream.range(0, request.get("partitions").asInt())
            .mapToObj(partition -> new TopicPartition(topic, partition)).toList();
        List<Object> found = new ArrayList<>();
        try (KafkaConsumer<String, String> consumer = consumer(Map.of("isolation.level", request.get("isolation").asText()))) {
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            while (found.size() < count) {
                for (ConsumerRecord<String, String> one : consumer.poll(Duration.ofSeconds(1))) {
                    Map<String, String> headers = new LinkedHashMap<>();
                    for (Header header : one.headers()) headers.put(header.key(), new String(header.value(), StandardCharsets.UTF_8));
                    Map<String, Object> record = new HashMap<>(Map.of(
                        "partition", one.partition(), "offset", one.offset(), "headers", headers, "timestamp", one.timestamp()));
                    record.put("key", one.key());
                    record.put("value", one.value());
                    found.add(record);
                }
            }
        }
        return found.subList(0, count);
    }

    private static long offsetAt(TopicPartition partition, long timestamp) {
        try (KafkaConsumer<String, String> consumer = consumer(Map.of())) {
            OffsetAndTimestamp found = consumer.offsetsForTimes(Map.of(partition, timestamp)).get(partition);
            return found == null ? -1 : found.offset();
        }
    }

    private static final class Member extends Thread {
        final List<String> values = java.util.Collections.synchronizedList(new ArrayList<>());
        volatile List<Integer> assigned = List.of();
        volatile boolean isOver;
        private final String group;
        private final String topic;

        Member(String group, String topic) {
            this.group = group;
            this.topic = topic;
        }

        @Override
        public void run() {
            try (KafkaConsumer<String, String> consumer = memberOf(group, Map.of())) {
                consumer.subscribe(List.of(topic));
                while (!isOver) {
                    consumer.poll(Duration.ofMillis(200)).forEach(one -> values.add(one.value()));
                    assigned = consumer.assignment().stream().map(TopicPartition::partition).toList();
                }
            }
        }
    }

    private void transact(String name, String topic, JsonNode values, String end) throws Exception {
        KafkaProducer<String, String> producer = producers.get(name);
        if (!open.getOrDefault(name, false)) producer.beginTransaction();
        open.put(name, end.equals("none"));
        List<Future<?>> sent = new ArrayList<>();
        for (JsonNode value : values) sent.add(producer.send(new ProducerRecord<>(topic, 0, null, value.asText())));
        producer.flush();
        for (Future<?> one : sent) one.get();
        if (end.equals("commit")) producer.commitTransaction();
        if (end.equals("abort")) producer.abortTransaction();
    }

    private static void copy(JsonNode request) {
        String id = request.get("transactionalId").asText();
        try (KafkaProducer<String, String> producer = producer(Map.of("transactional.id", id));
             KafkaConsumer<String, String> consumer =
                 memberOf(request.get("group").asText(), Map.of("enable.auto.commit", false))) {
            producer.initTransactions();
            consumer.subscribe(List.of(request.get("from").asText()));
            producer.beginTransaction();
            Map<TopicPartition, OffsetAndMetadata> positions = new HashMap<>();
            for (int copied = 0; copied < request.get("count").asInt(); ) {
                for (ConsumerRecord<String, String> one : consumer.poll(Duration.ofSeconds(1))) {
                    producer.send(new ProducerRecord<>(request.get("to").asText(), one.value().toUpperCase(Locale.ROOT)));
                    positions.put(new TopicPartition(one.topic(), one.partition()), new OffsetAndMetadata(one.offset() + 1));
                    copied++;
                }
            }
            producer.sendOffsetsToTransaction(positions, consumer.groupMetadata());
            if (request.get("end").asText().equals("commit")) producer.commitTransaction();
            else producer.abortTransaction();
        }
    }
}
