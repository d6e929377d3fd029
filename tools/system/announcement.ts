/** What `npm run dev` says when all is ready. */

interface Addresses {
  /** Of the page with hot reload. */
  url: string;
  /** Of the dashboard's server, where a page was built that it can serve. */
  server: string | undefined;
  kafka: string;
}

export function announcementOf({ url, server, kafka }: Addresses): string {
  const built = server === undefined ? "" : `, ${server} from the last build`;
  return `\nKelvin is running: ${url} with hot reload${built}.  (Kafka at ${kafka})\n`;
}
