// Tensor, DataType, Dimension, Datum and SardonyxError are part of the public API and live below it.
@_exported import SardonyxGraph

// How a model's weights are held: the type of `Model.Options.weights`.
@_exported import enum SardonyxLoading.WeightMode
