import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.TreeMap;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.kstream.Aggregator;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Initializer;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.Windowed;

/**
 * What Kafka Streams says of random records, by its own TopologyTestDriver: one file a kind of window, one JSON line a case.
 *
 * Each case has the records in the order of their arrival (key, milliseconds, value) and, for each of them, what the windows
 * became by it: key, start, end (both as Kafka Streams gives them), count and sum, or nulls where the window is gone. Of
 * several tellings of one window by one record the last is kept.
 */
public final class GoldenWindows {
  private static final long BASE = 1_000_000_000L;

  private record Reading(String key, long at, int x) {}

  private interface Windowing {
    KTable<Windowed<String>, String> of(KGroupedStream<String, String> grouped);
  }

  private static final Initializer<String> NONE = () -> "0 0";
  private static final Aggregator<String, String, String> ADD = (key, x, sum) -> add(sum, 1, Integer.parseInt(x));

  private static String add(String sum, int count, int x) {
    String[] parts = sum.split(" ");
    return (Integer.parseInt(parts[0]) + count) + " " + (Integer.parseInt(parts[1]) + x);
  }

  private static String merge(String key, String left, String right) {
    String[] parts = right.split(" ");
    return add(left, Integer.parseInt(parts[0]), Integer.parseInt(parts[1]));
  }

  public static void main(String[] args) throws Exception {
    Path folder = Path.of(args[0]);
    int cases = Integer.parseInt(args[1]);
    for (String kind : List.of("tumbling", "hopping", "sliding", "session")) {
      Random random = new Random(kind.hashCode());
      try (PrintWriter out = new PrintWriter(Files.newBufferedWriter(folder.resolve(kind + ".jsonl"), StandardCharsets.UTF_8))) {
        for (int i = 0; i < cases; i++) out.print(caseOf(kind, i % 2 == 0, random) + "\n");
      }
    }
  }

  private static String caseOf(String kind, boolean isFinal, Random random) {
    // With a 5 at its end no time is the very instant of closing, where Kafka Streams' `suppress` tells a sliding window or
    // a session that may still change, and then tells it again.
    long size = 10 * (1 + random.nextInt(8)) + (kind.equals("sliding") || kind.equals("session") ? 5 : 0);
    long every = kind.equals("hopping") ? 10 * (1 + random.nextInt((int) (size / 10))) : size;
    long grace = 10 * random.nextInt(6) + (kind.equals("sliding") ? 5 : 0);
    List<Reading> readings = readings(random, size, grace);
    Windowing windowing = grouped -> switch (kind) {
      case "sliding" -> grouped
          .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(Duration.ofMillis(size), Duration.ofMillis(grace)))
          .aggregate(NONE, ADD, Materialized.with(Serdes.String(), Serdes.String()));
      case "session" -> grouped
          .windowedBy(SessionWindows.ofInactivityGapAndGrace(Duration.ofMillis(size), Duration.ofMillis(grace)))
          .aggregate(NONE, ADD, GoldenWindows::merge, Materialized.with(Serdes.String(), Serdes.String()));
      default -> grouped
          .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMillis(size), Duration.ofMillis(grace)).advanceBy(Duration.ofMillis(every)))
          .aggregate(NONE, ADD, Materialized.with(Serdes.String(), Serdes.String()));
    };
    String told = run(windowing, isFinal, readings);
    List<String> records = new ArrayList<>();
    for (Reading reading : readings) records.add("[\"" + reading.key + "\"," + reading.at + "," + reading.x + "]");
    return "{\"tells\":\"" + (isFinal ? "final" : "current") + "\",\"sizeMs\":" + size + ",\"everyMs\":" + every
        + ",\"graceMs\":" + grace + ",\"records\":[" + String.join(",", records) + "],\"told\":[" + told + "]}";
  }

  /** Mostly in order, some late by up to the grace, some far too late, and at the end one that closes everything. */
  private static List<Reading> readings(Random random, long size, long grace) {
    List<Reading> readings = new ArrayList<>();
    long newest = BASE;
    int count = 5 + random.nextInt(25);
    for (int i = 0; i < count; i++) {
      String key = random.nextInt(3) == 0 ? "b" : "a";
      int kind = random.nextInt(10);
      long at;
      if (kind < 6) at = newest + 10L * random.nextInt(4);
      else if (kind == 6) at = newest + size + 10L * random.nextInt(6);
      else if (kind < 9) at = newest - 10L * random.nextInt((int) (grace / 10) + 1);
      else at = BASE - 100_000 + 10L * random.nextInt(50);
      at -= at % 10;
      readings.add(new Reading(key, at, random.nextInt(200) - 100));
      newest = Math.max(newest, at);
    }
    readings.add(new Reading("z", newest + 100_000, 0));
    return readings;
  }

  private static String run(Windowing windowing, boolean isFinal, List<Reading> readings) {
    StreamsBuilder builder = new StreamsBuilder();
    KTable<Windowed<String>, String> table = windowing.of(builder
        .stream("in", Consumed.with(Serdes.String(), Serdes.String()))
        .groupByKey(Grouped.with(Serdes.String(), Serdes.String())));
    if (isFinal) table = table.suppress(Suppressed.untilWindowCloses(Suppressed.BufferConfig.unbounded()));
    table.toStream()
        .map((window, value) -> KeyValue.pair(window.key() + " " + window.window().start() + " " + window.window().end(), value))
        .to("out", Produced.with(Serdes.String(), Serdes.String()));
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, "golden");
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "nobody:1");
    settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, System.getProperty("java.io.tmpdir") + "/kelvin-golden");
    Deserializer<String> strings = new StringDeserializer();
    List<String> steps = new ArrayList<>();
    try (TopologyTestDriver driver = new TopologyTestDriver(builder.build(), settings, Instant.ofEpochMilli(BASE))) {
      var in = driver.createInputTopic("in", new StringSerializer(), new StringSerializer());
      TestOutputTopic<String, String> out = driver.createOutputTopic("out", strings, strings);
      for (Reading reading : readings) {
        in.pipeInput(reading.key, String.valueOf(reading.x), reading.at);
        Map<String, String> last = new TreeMap<>();
        for (KeyValue<String, String> each : out.readKeyValuesToList()) last.put(each.key, each.value);
        List<String> windows = new ArrayList<>();
        for (Map.Entry<String, String> each : last.entrySet()) {
          String[] window = each.getKey().split(" ");
          String value = each.getValue() == null ? "null,null" : each.getValue().replace(' ', ',');
          windows.add("[\"" + window[0] + "\"," + window[1] + "," + window[2] + "," + value + "]");
        }
        steps.add("[" + String.join(",", windows) + "]");
      }
    }
    return String.join(",", steps);
  }
}
