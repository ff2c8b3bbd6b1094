import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["suite.test.js"],
    testTimeout: 30_000,
    // Names in the suite hold the time of day: two at once in one file could meet.
    fileParallelism: false,
  },
})
