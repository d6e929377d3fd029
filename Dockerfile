# The three services' images, a target each:
#   docker build --target dashboard --build-arg VERSION=1.2.3 --build-arg REVISION="$(git rev-parse HEAD)" .
# Node runs the TypeScript as it is, so nothing is built but the page. Node refuses to strip types below node_modules, and
# a workspace's links lead out of there: so the folders stay where the workspace has them.
ARG NODE_IMAGE=node:24-slim

# What decides the packages, and nothing else: a change in the sources installs nothing anew.
FROM ${NODE_IMAGE} AS workspace
RUN npm install -g pnpm@12.21.0
WORKDIR /app
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./
COPY packages/schema/package.json packages/schema/
COPY packages/streams/package.json packages/streams/
COPY packages/service-kit/package.json packages/service-kit/
COPY packages/embedded-kafka/package.json packages/embedded-kafka/
COPY packages/test-kit/package.json packages/test-kit/
COPY services/producer/package.json services/producer/
COPY services/stream-processor/package.json services/stream-processor/
COPY services/dashboard/package.json services/dashboard/

FROM workspace AS producer-packages
RUN --mount=type=cache,id=pnpm,target=/pnpm/store \
    pnpm install --frozen-lockfile --prod --filter-prod @kelvin/producer... --store-dir /pnpm/store

FROM workspace AS stream-processor-packages
RUN --mount=type=cache,id=pnpm,target=/pnpm/store \
    pnpm install --frozen-lockfile --prod --filter-prod @kelvin/stream-processor... --store-dir /pnpm/store

FROM workspace AS dashboard-packages
RUN --mount=type=cache,id=pnpm,target=/pnpm/store \
    pnpm install --frozen-lockfile --prod --filter-prod @kelvin/dashboard... --store-dir /pnpm/store

FROM workspace AS page
RUN --mount=type=cache,id=pnpm,target=/pnpm/store \
    pnpm install --frozen-lockfile --filter @kelvin/dashboard... --store-dir /pnpm/store
COPY tsconfig.base.json ./
COPY packages/schema packages/schema
COPY services/dashboard services/dashboard
RUN pnpm --filter @kelvin/dashboard run build

# What all three have in common, inherited: user, health check, licence. V8 is kept from taking
# memory that makes nothing faster (packages/service-kit/src/node-options.ts): a busy stream processor takes 182 MB in place of
# 293, a dashboard with 1,000 pages and 15 minutes of 1,000 devices 205 in place of 280.
FROM ${NODE_IMAGE} AS service
ENV NODE_ENV=production
WORKDIR /app
USER node
LABEL org.opencontainers.image.licenses="Apache-2.0"
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --start-interval=1s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/readyz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]

FROM service AS producer
ENV PORT=3001
EXPOSE 3001
COPY --from=producer-packages /app ./
COPY packages packages
COPY services/producer services/producer
CMD ["node", "--max-semi-space-size=4", "services/producer/src/main.ts"]
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Kelvin producer" \
      org.opencontainers.image.description="Simulated machines, or the replay of a real one, to Kafka" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

FROM service AS stream-processor
ENV PORT=3002
EXPOSE 3002
COPY --from=stream-processor-packages /app ./
COPY packages packages
COPY services/stream-processor services/stream-processor
CMD ["node", "--max-semi-space-size=8", "--heap-growing-percent=125", "services/stream-processor/src/main.ts"]
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Kelvin stream processor" \
      org.opencontainers.image.description="Alerts and KPIs from sensor readings on Kafka" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

FROM service AS dashboard
ENV PORT=3000
EXPOSE 3000
COPY --from=dashboard-packages /app ./
COPY packages packages
COPY services/dashboard services/dashboard
COPY --from=page /app/services/dashboard/dist services/dashboard/dist
CMD ["node", "--max-semi-space-size=8", "--heap-growing-percent=50", "services/dashboard/server/main.ts"]
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Kelvin dashboard" \
      org.opencontainers.image.description="Live page of sensor readings, alerts and KPIs" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
