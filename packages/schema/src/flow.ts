/**
 * What is computed of the readings: the pipelines and the KPIs that there are. All that names every one of them, in the
 * services and on the page, takes them from here. Free of zod, as `live.ts` is, which passes it on to the page.
 */

/** The pipelines in the order of the flow, and the topic that each of them reads. */
export const PIPELINES = [
  { name: "alert", reads: "sensor" },
  { name: "alert-count", reads: "alert" },
  { name: "average-temperature", reads: "sensor" },
] as const;

/** A pipeline of the stream processor, as the setting `PIPELINES` names it. */
export type PipelineName = (typeof PIPELINES)[number]["name"];

const kpis = [
  { name: "alert_count", title: "Alerts", unit: "alerts", windowSeconds: 5, needs: ["alert", "alert-count"] },
  {
    name: "average_temperature",
    title: "Average",
    unit: "celsius",
    windowSeconds: 10,
    needs: ["average-temperature"],
  },
] as const;

/** A KPI, as in the topic `kpi`. */
export type KpiName = (typeof kpis)[number]["name"];

/** What a KPI is, for whoever shows it. */
export interface KpiDescription {
  readonly name: KpiName;
  /** What its tile is called, in front of "last 5 s". */
  readonly title: string;
  /** Where there is nothing, it is 0 for alerts and "no data" for a temperature. */
  readonly unit: "alerts" | "celsius";
  readonly windowSeconds: number;
  /** The pipelines that make it, in the order of the flow: where one of them stands still, it is not known. */
  readonly needs: readonly PipelineName[];
}

/** The KPIs in the order of their tiles; what their records hold is in `kpi.ts`. */
export const KPIS: readonly KpiDescription[] = kpis;
