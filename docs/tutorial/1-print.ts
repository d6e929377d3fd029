/** Step 1: shows what is in the topic `sensor`, as it comes. */
import { sensorTopic } from "@kelvin/schema";
import { createStreamApp } from "@kelvin/streams";
import { ctrlC, input, tutorial } from "./shared.ts";

const app = createStreamApp(tutorial("print"));

app.dataframe(input(sensorTopic)).print();

await app.run({ signal: ctrlC });
