import SardonyxGraph

extension OperatorRegistry {
    /// Every operator that comes with Sardonyx, a line each.
    package static let standard = OperatorRegistry([
        If.self,
        Loop.self,
        Relu.self,
        Reshape.self,
        Scan.self,
        CenterCropPad.self,
        Col2Im.self,
        Concat.self,
        DepthToSpace.self,
        Expand.self,
        Flatten.self,
        Pad.self,
        ReverseSequence.self,
        Shape.self,
        Size.self,
        Slice.self,
        SpaceToDepth.self,
        Split.self,
        Squeeze.self,
        Tile.self,
        Transpose.self,
        Trilu.self,
        Unsqueeze.self,
    ])
}
