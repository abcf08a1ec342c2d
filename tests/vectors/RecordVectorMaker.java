import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.SimpleRecord;

/** Prints one JSON line for each batch: a name and the bytes as Kafka's builders write them. See README.md. */
public class RecordVectorMaker {
    static final long TIME = 1_700_000_000_000L;

    /** Six records: no key at 2, no value at 3, two headers at 4 (the second without a value). */
    static SimpleRecord[] records(int valueSize) {
        SimpleRecord[] records = new SimpleRecord[6];
        for (int i = 0; i < 6; i++) {
            byte[] key = i == 2 ? null : ("key-" + i).getBytes();
            byte[] value = i == 3 ? null : new byte[valueSize * i];
            if (value != null) Arrays.fill(value, (byte) ('a' + i));
            Header[] headers = i != 4 ? new Header[0]
                : new Header[] {new RecordHeader("h1", "v1".getBytes()), new RecordHeader("h2", (byte[]) null)};
            records[i] = new SimpleRecord(TIME + 7 * i, key, value, headers);
        }
        return records;
    }

    static void print(String name, MemoryRecords records) {
        ByteBuffer buffer = records.buffer().duplicate();
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        System.out.printf("{\"name\":\"%s\",\"hex\":\"%s\"}%n", name, HexFormat.of().formatHex(bytes));
    }

    public static void main(String[] arguments) {
        for (String codec : new String[] {"none", "gzip", "snappy", "lz4", "zstd"}) {
            Compression compression = Compression.of(codec).build();
            print("plain-" + codec, MemoryRecords.withRecords(100L, compression, 5, records(20)));
            if (!codec.equals("none")) print("large-" + codec, MemoryRecords.withRecords(100L, compression, 5, records(30_000)));
            for (byte magic = 0; magic < 2; magic++) {
                if (codec.equals("zstd")) continue;  // the old formats do not know it
                MemoryRecordsBuilder builder = MemoryRecords.builder(
                    ByteBuffer.allocate(4096), magic, compression, TimestampType.CREATE_TIME, 100L);
                builder.append(magic == 0 ? -1 : TIME, "key".getBytes(), "value".getBytes());
                print("magic" + magic + "-" + codec, builder.build());
            }
        }
        Compression none = Compression.NONE;
        print("idempotent", MemoryRecords.withIdempotentRecords(100L, none, 4000L, (short) 3, 17, 5, records(20)));
        print("transactional", MemoryRecords.withTransactionalRecords(
            100L, none, 4000L, (short) 3, Integer.MAX_VALUE - 2, 5, records(20)));
        for (ControlRecordType type : new ControlRecordType[] {ControlRecordType.ABORT, ControlRecordType.COMMIT})
            print("marker-" + type.name().toLowerCase(), MemoryRecords.withEndTransactionMarker(
                55L, TIME, 9, 4000L, (short) 4, new EndTransactionMarker(type, 12)));
    }
}
