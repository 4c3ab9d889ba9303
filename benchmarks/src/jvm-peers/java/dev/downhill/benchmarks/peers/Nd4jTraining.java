package dev.downhill.benchmarks.peers;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * ND4J on the processor, with DL4J's layers. In graphs of SameDiff, built for a trial, the losses
 * of these models did not fall.
 */
final class Nd4jTraining implements PeerTraining {
  private static final String ABOUT = "/META-INF/maven/org.nd4j/nd4j-api/pom.properties";

  private record Batch(INDArray x, INDArray y) {}

  private final List<Batch> batches = new ArrayList<>();
  private final MultiLayerNetwork network;

  /** A workload's training that has not begun. */
  Nd4jTraining(String workload, Start start) {
    boolean images = workload.equals("W3");
    NeuralNetConfiguration.ListBuilder layers =
        new NeuralNetConfiguration.Builder()
            .dataType(DataType.FLOAT)
            .updater(images ? new Momentum(0.01, 0.9) : new Adam(1e-3))
            .activation(Activation.RELU)
            .list();
    switch (workload) {
      case "W1" ->
          layers
              .layer(dense(64))
              .layer(dense(64))
              .layer(output(LossFunction.MSE, Activation.IDENTITY, 1));
      case "W2" ->
          layers
              .layer(dense(512))
              .layer(dense(256))
              .layer(output(LossFunction.MCXENT, Activation.SOFTMAX, 10));
      default ->
          layers
              .layer(convolution(32))
              .layer(pool())
              .layer(convolution(64))
              .layer(pool())
              .layer(dense(128))
              .layer(output(LossFunction.MCXENT, Activation.SOFTMAX, 10));
    }
    layers.setInputType(
        images
            ? InputType.convolutional(28, 28, 1)
            : InputType.feedForward(start.batches().get(0).x().shape()[1]));
    network = new MultiLayerNetwork(layers.build());
    network.init();
    List<String> ours = layers(start.weights().keySet(), "\\.");
    List<String> theirs = layers(network.paramTable().keySet(), "_");
    for (int i = 0; i < ours.size(); i++) {
      INDArray weight = array(start.weights().get(ours.get(i) + ".weight"));
      INDArray bias = array(start.weights().get(ours.get(i) + ".bias"));
      network.setParam(theirs.get(i) + "_W", weight.rank() == 2 ? weight.transpose() : weight);
      network.setParam(theirs.get(i) + "_b", bias.reshape(1, bias.length()));
    }
    for (Start.Batch batch : start.batches()) {
      batches.add(new Batch(array(batch.x()), array(batch.y())));
    }
  }

  /** The layers that have weights, from names as 0.weight or 0_W. */
  private static List<String> layers(Set<String> names, String separator) {
    return names.stream().map(name -> name.split(separator)[0]).distinct().sorted().toList();
  }

  private static DenseLayer dense(int units) {
    return new DenseLayer.Builder().nOut(units).build();
  }

  private static ConvolutionLayer convolution(int filters) {
    return new ConvolutionLayer.Builder(3, 3).padding(1, 1).nOut(filters).build();
  }

  private static SubsamplingLayer pool() {
    return new SubsamplingLayer.Builder(SubsamplingLayer.PoolingType.MAX)
        .kernelSize(2, 2)
        .stride(2, 2)
        .build();
  }

  private static OutputLayer output(LossFunction loss, Activation activation, int units) {
    return new OutputLayer.Builder(loss).activation(activation).nOut(units).build();
  }

  /** Numbers as they are; of classes, rows with a 1 at the class. */
  private static INDArray array(Start.Values values) {
    if (values.array() instanceof long[] classes) {
      float[][] rows = new float[classes.length][10];
      for (int i = 0; i < rows.length; i++) {
        rows[i][(int) classes[i]] = 1;
      }
      return Nd4j.create(rows);
    }
    return Nd4j.create(values.floats(), values.shape(), 'c');
  }

  @Override
  public String version() {
    Properties about = new Properties();
    try (InputStream in = Nd4j.class.getResourceAsStream(ABOUT)) {
      about.load(in);
    } catch (IOException e) {
      throw new UncheckedIOException(ABOUT, e);
    }
    return about.getProperty("version");
  }

  @Override
  public void step(int batch) {
    Batch now = batches.get(batch);
    network.fit(now.x(), now.y());
  }

  @Override
  public double loss() {
    return network.score();
  }
}
