package dev.downhill.backend.cuda;

import jcuda.driver.CUdeviceptr;

/** An address, on the device or the host, in the form in which JCuda takes it. */
final class Address extends CUdeviceptr {
  private static final CUdeviceptr NULL = new CUdeviceptr();

  /** An address for the driver to fill in. */
  Address() {}

  Address(long value) {
    super(NULL, value);
  }

  long value() {
    return getNativePointer() + getByteOffset();
  }
}
