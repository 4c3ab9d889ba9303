package dev.downhill.backend.cpu;

import jdk.incubator.vector.FloatVector;

/** {@link CpuUpdate} in {@code f32} on the Vector API: the operations of the rows' scalar loops. */
final class CpuVectorUpdate {
  private static final int STEP = Lanes.SPECIES.length();

  private CpuVectorUpdate() {}

  static long sgd(SgdRow r, long from, long to) {
    FloatVector decay = Lanes.broadcast((float) r.decay);
    FloatVector momentum = Lanes.broadcast((float) r.momentum);
    FloatVector down = Lanes.broadcast((float) -r.lr);
    float sign = (float) r.sign;
    float rest = (float) r.rest;
    boolean averaged = r.momentum != 0;
    long i = from;
    for (; i + STEP <= to; i += STEP) {
      FloatVector x = Lanes.load(r.p, 4 * (r.pi + i));
      FloatVector dx = decay.fma(x, Lanes.load(r.g, 4 * (r.gi + i)).mul(sign));
      FloatVector average =
          r.first ? dx : momentum.fma(Lanes.load(r.b, 4 * (r.bi + i)), dx.mul(rest));
      FloatVector step = r.nesterov ? momentum.fma(average, dx) : averaged ? average : dx;
      Lanes.store(average, r.b, 4 * (r.bi + i));
      Lanes.store(down.fma(step, x), r.p, 4 * (r.pi + i));
    }
    return i;
  }

  static long adam(AdamRow r, long from, long to) {
    FloatVector decay = Lanes.broadcast((float) r.decay);
    FloatVector beta1 = Lanes.broadcast((float) r.beta1);
    FloatVector beta2 = Lanes.broadcast((float) r.beta2);
    FloatVector scale = Lanes.broadcast((float) r.scale);
    FloatVector eps = Lanes.broadcast((float) r.eps);
    float sign = (float) r.sign;
    float rest1 = (float) (1 - r.beta1);
    float rest2 = (float) (1 - r.beta2);
    float keep = (float) r.keep;
    float step = (float) r.step;
    long i = from;
    for (; i + STEP <= to; i += STEP) {
      FloatVector x = Lanes.load(r.p, 4 * (r.pi + i));
      FloatVector dx = decay.fma(x, Lanes.load(r.g, 4 * (r.gi + i)).mul(sign));
      FloatVector mean = beta1.fma(Lanes.load(r.m, 4 * (r.mi + i)), dx.mul(rest1));
      FloatVector square = beta2.fma(Lanes.load(r.v, 4 * (r.vi + i)), dx.mul(rest2).mul(dx));
      Lanes.store(mean, r.m, 4 * (r.mi + i));
      Lanes.store(square, r.v, 4 * (r.vi + i));
      if (r.amsgrad) {
        square = Lanes.load(r.w, 4 * (r.wi + i)).max(square);
        Lanes.store(square, r.w, 4 * (r.wi + i));
      }
      FloatVector root = square.sqrt().fma(scale, eps);
      Lanes.store(x.mul(keep).sub(mean.mul(step).div(root)), r.p, 4 * (r.pi + i));
    }
    return i;
  }

  static long rmsProp(RmsPropRow r, long from, long to) {
    FloatVector decay = Lanes.broadcast((float) r.decay);
    FloatVector alpha = Lanes.broadcast((float) r.alpha);
    FloatVector momentum = Lanes.broadcast((float) r.momentum);
    FloatVector down = Lanes.broadcast((float) -r.lr);
    float sign = (float) r.sign;
    float rest = (float) (1 - r.alpha);
    float eps = (float) r.eps;
    long i = from;
    for (; i + STEP <= to; i += STEP) {
      FloatVector x = Lanes.load(r.p, 4 * (r.pi + i));
      FloatVector dx = decay.fma(x, Lanes.load(r.g, 4 * (r.gi + i)).mul(sign));
      FloatVector square = alpha.fma(Lanes.load(r.v, 4 * (r.vi + i)), dx.mul(rest).mul(dx));
      Lanes.store(square, r.v, 4 * (r.vi + i));
      if (r.centered) {
        FloatVector mean = alpha.fma(Lanes.load(r.a, 4 * (r.ai + i)), dx.mul(rest));
        Lanes.store(mean, r.a, 4 * (r.ai + i));
        square = mean.neg().fma(mean, square);
      }
      FloatVector step = dx.div(square.sqrt().add(eps));
      if (r.averaged) {
        step = momentum.fma(Lanes.load(r.b, 4 * (r.bi + i)), step);
        Lanes.store(step, r.b, 4 * (r.bi + i));
      }
      Lanes.store(down.fma(step, x), r.p, 4 * (r.pi + i));
    }
    return i;
  }

  static long adagrad(AdagradRow r, long from, long to) {
    FloatVector decay = Lanes.broadcast((float) r.decay);
    FloatVector down = Lanes.broadcast((float) -r.step);
    float sign = (float) r.sign;
    float eps = (float) r.eps;
    long i = from;
    for (; i + STEP <= to; i += STEP) {
      FloatVector x = Lanes.load(r.p, 4 * (r.pi + i));
      FloatVector dx = decay.fma(x, Lanes.load(r.g, 4 * (r.gi + i)).mul(sign));
      FloatVector sum = dx.fma(dx, Lanes.load(r.s, 4 * (r.si + i)));
      Lanes.store(sum, r.s, 4 * (r.si + i));
      Lanes.store(down.fma(dx.div(sum.sqrt().add(eps)), x), r.p, 4 * (r.pi + i));
    }
    return i;
  }

  static long nadam(NAdamRow r, long from, long to) {
    FloatVector decay = Lanes.broadcast((float) r.decay);
    FloatVector beta1 = Lanes.broadcast((float) r.beta1);
    FloatVector beta2 = Lanes.broadcast((float) r.beta2);
    FloatVector scale = Lanes.broadcast((float) r.scale);
    FloatVector eps = Lanes.broadcast((float) r.eps);
    FloatVector ofMean = Lanes.broadcast((float) r.ofMean);
    float ofGradient = (float) r.ofGradient;
    float sign = (float) r.sign;
    float rest1 = (float) (1 - r.beta1);
    float rest2 = (float) (1 - r.beta2);
    float keep = (float) r.keep;
    long i = from;
    for (; i + STEP <= to; i += STEP) {
      FloatVector x = Lanes.load(r.p, 4 * (r.pi + i));
      FloatVector dx = decay.fma(x, Lanes.load(r.g, 4 * (r.gi + i)).mul(sign));
      FloatVector mean = beta1.fma(Lanes.load(r.m, 4 * (r.mi + i)), dx.mul(rest1));
      FloatVector square = beta2.fma(Lanes.load(r.v, 4 * (r.vi + i)), dx.mul(rest2).mul(dx));
      FloatVector root = square.sqrt().fma(scale, eps);
      FloatVector step = ofMean.fma(mean, dx.mul(ofGradient));
      Lanes.store(mean, r.m, 4 * (r.mi + i));
      Lanes.store(square, r.v, 4 * (r.vi + i));
      Lanes.store(x.mul(keep).sub(step.div(root)), r.p, 4 * (r.pi + i));
    }
    return i;
  }
}
