/** Options of `npm start` and `npm run dev`: on the command line, and as variables. */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { kafkaSettings, port, readSettings, SettingsError } from "@kelvin/service-kit";
import * as z from "zod";
import { ToolError } from "../supervise/errors.ts";

const OPTIONS_HELP = `
  --devices <n>             simulate n machines (default 1)
  --replay [file.csv]       replay a real machine's readings, 300 times faster; your own file needs the columns
                            timestamp,value, and device_id if there are several machines
  --speed <factor>          how much faster than real time to replay
  --unit <unit>             unit of the file's values: celsius, fahrenheit or kelvin
  --data-dir <folder>       keep the embedded broker's records in that folder; the next start continues from them
  --help                    show this help

Variables (before the command, or after its two dashes: -- PORT=4000 KAFKA_PORT=9192):
  PORT                      the dashboard's port (3000); the next two serve the health of producer and processor
  KAFKA_PORT                the embedded broker's port (9092)
  KAFKA_BROKERS             host:port,... of a Kafka to use instead of the embedded broker
  KAFKA_SSL, KAFKA_SSL_CA, KAFKA_SSL_CERT, KAFKA_SSL_KEY, KAFKA_SSL_KEY_PASSWORD,
  KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD
                            connection security settings
  ALERT_ABOVE_KELVIN        the alert limit (303; 312 with the shipped replay, whose machine runs hot)
  LOG_LEVEL, LOG_FORMAT     debug, info, warn, error; pretty or json
  and those of each service: see README.md.
`;

/** @param usage the command, and what it does */
export function help(usage: string): string {
  return `${usage}\n${OPTIONS_HELP}`;
}

export interface SystemOptions {
  isHelp: boolean;
  /** Undefined if KAFKA_BROKERS names another Kafka. */
  kafkaPort: number | undefined;
  brokers: string[];
  /** Where the embedded broker keeps its records; undefined: in memory. */
  dataDir: string | undefined;
  /** The dashboard's port; 0 takes free ones for all. */
  port: number;
  host: string | undefined;
  /** What the options mean for the services. */
  environment: Record<string, string>;
  /** Whether a service may find something wrong in them: the shipped replay alone can't be. */
  hasValues: boolean;
}

/** `--replay` without a file: the series that comes with the producer. */
const SHIPPED = "shipped";

/** The variables that options stand for. */
const OPTION_OF: Readonly<Record<string, string>> = {
  DEVICES: "--devices",
  REPLAY: "--replay",
  REPLAY_SPEED: "--speed",
  REPLAY_UNIT: "--unit",
};

/** A setting's problem in the words of who gave it as an option: `--devices 0: must be ...`. */
export function inWordsOfOptions(
  problem: string,
  { environment }: Pick<SystemOptions, "environment">,
): string {
  const [, variable = "", value = "", rest = ""] = /^([A-Z_]+)=(.*?)(: .*)$/s.exec(problem) ?? [];
  const option = OPTION_OF[variable];
  return option !== undefined && environment[variable] === value ? `${option} ${value}${rest}` : problem;
}

const Variables = z.object({
  KAFKA_PORT: port().default(9092),
  PORT: port()
    .refine((first) => first <= 65_533, "leaves no room for the two ports after it")
    .default(3000),
  HOST: z.string().optional(),
});

/** @throws ToolError with code 2 for an invalid option or variable */
export function readOptions(
  usage: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): SystemOptions {
  const options = parse(usage, args, environment);
  const variables = readVariables(environment);
  const isOwnBroker = (environment.KAFKA_BROKERS ?? "").trim() === "";
  const dataDir = options["data-dir"];
  if (dataDir === "") throw new ToolError("--data-dir must name a folder.", { exitCode: 2 });
  if (dataDir !== undefined && !isOwnBroker) {
    throw new ToolError(
      "--data-dir is for the embedded broker: it can't be used together with KAFKA_BROKERS.",
      {
        exitCode: 2,
      },
    );
  }
  const brokers = isOwnBroker ? [`localhost:${variables.KAFKA_PORT}`] : variables.KAFKA_BROKERS;
  return {
    isHelp: options.help === true,
    kafkaPort: isOwnBroker ? variables.KAFKA_PORT : undefined,
    brokers,
    dataDir: dataDir && resolve(environment.INIT_CWD ?? ".", dataDir),
    port: variables.PORT,
    host: variables.HOST,
    environment: servicesEnvironment(options, environment),
    hasValues: [options.devices, options.speed, options.unit, options.replay].some(
      (value) => value !== undefined && value !== SHIPPED,
    ),
  };
}

function readVariables(environment: NodeJS.ProcessEnv) {
  try {
    return readSettings(environment, Variables, kafkaSettings);
  } catch (error) {
    if (error instanceof SettingsError) throw new ToolError(error.message, { exitCode: 2, cause: error });
    throw error;
  }
}

type Options = ReturnType<typeof parse>;

function parse(usage: string, args: readonly string[], environment: NodeJS.ProcessEnv) {
  try {
    const { values } = parseArgs({
      args: args.map((arg, index) =>
        arg === "--replay" && !hasValue(args[index + 1]) ? `--replay=${SHIPPED}` : arg,
      ),
      options: {
        devices: { type: "string" },
        replay: { type: "string" },
        speed: { type: "string" },
        unit: { type: "string" },
        "data-dir": { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.devices !== undefined && values.replay !== undefined) {
      throw new ToolError("--devices is for simulated machines: it can't be used together with --replay.");
    }
    for (const name of ["speed", "unit"] as const) {
      if (values[name] !== undefined && values.replay === undefined)
        throw new ToolError(`--${name} needs --replay.`);
    }
    for (const name of ["devices", "replay", "speed", "unit", "data-dir"]) {
      if (environment[`npm_config_${name.replace("-", "_")}`] !== undefined && !args.includes(`--${name}`)) {
        throw new ToolError(
          `npm consumed --${name} itself. Put two dashes before it: npm start -- --${name} ...`,
        );
      }
    }
    return values;
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new ToolError(`${problem}\n\n${help(usage)}`, { exitCode: 2, cause: error });
  }
}

function hasValue(next: string | undefined): boolean {
  return next !== undefined && !next.startsWith("-");
}

function servicesEnvironment(options: Options, environment: NodeJS.ProcessEnv): Record<string, string> {
  const told: Record<string, string> = {};
  if (options.devices !== undefined) told.DEVICES = options.devices;
  if (options.speed !== undefined) told.REPLAY_SPEED = options.speed;
  if (options.unit !== undefined) told.REPLAY_UNIT = options.unit;
  if (options.replay === undefined) return told;
  const isShipped = options.replay === SHIPPED;
  // npm changes the folder to the project's; people mean the one they are in.
  told.REPLAY = isShipped ? SHIPPED : resolve(environment.INIT_CWD ?? ".", options.replay);
  if (isShipped && (environment.ALERT_ABOVE_KELVIN ?? "") === "") told.ALERT_ABOVE_KELVIN = "312";
  return told;
}
