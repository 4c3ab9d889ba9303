package dev.downhill.backend;

/**
 * The memory of a device, in bytes.
 *
 * @param used handed out to buffers
 * @param held kept for reuse
 * @param limit the most that may be used and held together
 */
public record MemoryUse(long used, long held, long limit) {}
