package dev.downhill.backend.cuda;

import dev.downhill.backend.Program;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUstream;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.JCudaDriver;

/**
 * Launches that were captured from a stream, done again by one call of the driver. Their addresses
 * and arguments are those of the capture.
 */
final class CudaGraph implements Program {
  private final CudaContext context;
  private final CUgraphExec executable = new CUgraphExec();
  private final CudaContext.Call launch;

  /** Takes up what {@code calls} asks of the stream, in place of doing it. */
  CudaGraph(CudaContext context, CUstream stream, Runnable calls) {
    this.context = context;
    this.launch = () -> JCudaDriver.cuGraphLaunch(executable, stream);
    CUgraph graph = capture(context, stream, calls);
    try {
      context.call(
          "cuGraphInstantiate", () -> JCudaDriver.cuGraphInstantiate(executable, graph, 0));
    } finally {
      context.call("cuGraphDestroy", () -> JCudaDriver.cuGraphDestroy(graph));
    }
    context.call("cuGraphUpload", () -> JCudaDriver.cuGraphUpload(executable, stream));
  }

  private static CUgraph capture(CudaContext context, CUstream stream, Runnable calls) {
    CUgraph graph = new CUgraph();
    // Other threads, with devices of their own, may do meanwhile what this one may not.
    int mode = CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
    context.call("cuStreamBeginCapture", () -> JCudaDriver.cuStreamBeginCapture(stream, mode));
    try {
      calls.run();
    } catch (RuntimeException | Error e) {
      int _ = context.attempt(() -> JCudaDriver.cuStreamEndCapture(stream, graph));
      throw e;
    }
    context.call("cuStreamEndCapture", () -> JCudaDriver.cuStreamEndCapture(stream, graph));
    return graph;
  }

  @Override
  public void run() {
    context.call("cuGraphLaunch", launch);
  }

  @Override
  public void close() {
    // The driver gave up the graphs of a lost device by itself.
    if (!context.isLost()) {
      context.call("cuGraphExecDestroy", () -> JCudaDriver.cuGraphExecDestroy(executable));
    }
  }
}
