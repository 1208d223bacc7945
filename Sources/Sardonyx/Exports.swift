// Tensor, DataType, Dimension, Datum and SardonyxError are part of the public API and live below it.
@_exported import SardonyxGraph
