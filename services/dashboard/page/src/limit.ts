/** The alert rule, as far as the page shows it: what is above the limit. */

const ZERO_CELSIUS_IN_KELVIN = 273.15;

/** The limit in °C. */
export function limitCelsius(limitKelvin: number): number {
  // Floating point would make 29.850000000000023 of 303 K.
  return Number((limitKelvin - ZERO_CELSIUS_IN_KELVIN).toFixed(6));
}

/** Whether a temperature breaks the alert rule. Undefined limit: not told yet. */
export function isHigh(celsius: number, limitKelvin: number | undefined): boolean {
  return limitKelvin !== undefined && celsius > limitCelsius(limitKelvin);
}
