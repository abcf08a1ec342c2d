import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.StringSerializer;

/** Sends orders with Kafka's own client, and prints their partitions and offsets. Arguments: BOOTSTRAP TOPIC COUNT. */
public class OrderProducer {
    public static void main(String[] arguments) throws Exception {
        Map<String, Object> settings = Map.of("bootstrap.servers", arguments[0], "delivery.timeout.ms", 20000,
            "request.timeout.ms", 5000);
        StringSerializer text = new StringSerializer();
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(settings, text, text)) {
            for (int number = 1; number <= Integer.parseInt(arguments[2]); number++) {
                String id = String.format("ORD-%03d", number);
                String order = "노트북," + number + ",1500000";
                RecordMetadata place = producer.send(new ProducerRecord<>(arguments[1], id, order))
                    .get(30, TimeUnit.SECONDS);
                System.out.println(id + " " + place.partition() + " " + place.offset());
            }
        }
    }
}
