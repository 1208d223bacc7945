// Tensor, DataType, Dimension, Datum and SardonyxError are part of the public API and live below it.
@_exported import SardonyxGraph
// Kernels that run on the pool's threads.
@_exported import SardonyxOperators

// How a model's weights are held: the type of `Model.Options.weights`.
@_exported import enum SardonyxLoading.WeightMode
