import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.utils.AppInfoParser;

/** Prints, as JSON, the partition that Kafka's own producer chooses for each of some keys. See README.md. */
public class KeyPartitions {
    static final int PARTITIONS = 6;

    /** Keys of every length that the hash treats apart, text in several scripts, and bytes that are no text. */
    static List<byte[]> keys() {
        List<byte[]> keys = new ArrayList<>();
        for (int number = 0; number < 20; number++) keys.add(text("customer-" + number));
        for (int length = 1; length < 9; length++) keys.add(text("abcdefgh".substring(0, length)));
        for (String word : new String[] {"고객-12", "заказ", "21", "foobar", "k".repeat(40)}) keys.add(text(word));
        keys.add(new byte[] {(byte) 0xff, (byte) 0xfe});
        keys.add(new byte[] {0, 0, 0, 0, (byte) 0x80});
        return keys;
    }

    static byte[] text(String word) {
        return word.getBytes(StandardCharsets.UTF_8);
    }

    public static void main(String[] arguments) {
        StringBuilder rows = new StringBuilder();
        for (byte[] key : keys())
            rows.append(rows.isEmpty() ? "" : ",").append(String.format(
                "%n  \"%s\": %d", HexFormat.of().formatHex(key), BuiltInPartitioner.partitionForKey(key, PARTITIONS)));
        System.out.printf("{%n \"made by\": \"tests/vectors/KeyPartitions.java, Kafka %s\",%n", AppInfoParser.getVersion());
        System.out.printf(" \"partitions\": %d,%n \"partition by key in hex\": {%s%n }%n}%n", PARTITIONS, rows);
    }
}
