import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;

/** Encodes the values of golden/main.ts with Apache Kafka's own classes: see there. */
public class Golden {
    public static void main(String[] args) throws Exception {
        if (args[0].equals("messages")) messages(Path.of(args[1]));
        else batches();
    }

    /** Lines of "class version json" to lines of hexadecimal bytes. */
    private static void messages(Path input) throws Exception {
        ObjectMapper mapper = new ObjectMapper();
        for (String line : Files.readAllLines(input)) {
            String[] parts = line.split(" ", 3);
            short version = Short.parseShort(parts[1]);
            Class<?> converter = Class.forName("org.apache.kafka.common.message." + parts[0] + "DataJsonConverter");
            Object message = converter.getMethod("read", JsonNode.class, short.class)
                .invoke(null, mapper.readTree(parts[2]), version);
            ByteBufferAccessor bytes = MessageUtil.toByteBufferAccessor((Message) message, version);
            byte[] out = new byte[bytes.buffer().remaining()];
            bytes.buffer().get(out);
            System.out.println(HexFormat.of().formatHex(out));
        }
    }

    /** The same records by every codec. */
    private static void batches() {
        for (CompressionType type : CompressionType.values()) {
            Header[] headers = {
                new RecordHeader("kind", "é".getBytes(StandardCharsets.UTF_8)),
                new RecordHeader("none", (byte[]) null)
            };
            SimpleRecord[] records = {
                new SimpleRecord(1_700_000_000_000L, bytes("k"), bytes("value value value value"), headers),
                new SimpleRecord(1_700_000_000_005L, null, bytes("v2")),
                new SimpleRecord(1_700_000_000_003L, bytes("k3"), null)
            };
            MemoryRecords batch = MemoryRecords.withRecords(40L, Compression.of(type).build(), records);
            ByteBuffer buffer = batch.buffer().duplicate();
            byte[] out = new byte[buffer.remaining()];
            buffer.get(out);
            System.out.println(type.name + " " + HexFormat.of().formatHex(out));
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
