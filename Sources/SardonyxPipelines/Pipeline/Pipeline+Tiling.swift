extension Pipeline {
    /// How the model is run over an image that is larger than its input.
    public struct Tiling: Sendable, Equatable {
        /// Where tiles lie.
        public enum Scheme: String, Sendable, CaseIterable {
            /// One tile: the whole grid. Models whose input is as large as the grid, or of any size.
            case whole
            /// As MONAI's `sliding_window_inference`: steps of size · (1 − overlap), the last tile moved inside.
            case monai
            /// As nnU-Net: steps of at most size · (1 − overlap), spread evenly.
            case nnunet
        }

        /// How much a voxel of a tile counts.
        public enum Weight: String, Sendable, CaseIterable {
            /// The same everywhere.
            case constant
            /// Less towards the tile's borders.
            case gaussian
        }

        /// Where tiles lie.
        public var scheme: Scheme
        /// Voxels along the network's spatial axes; empty with `.whole`, or to take the model's own.
        public var size: [Int]
        /// Share of a tile that its neighbour covers too, 0 up to below 1.
        public var overlap: Double
        /// How much a voxel of a tile counts.
        public var weight: Weight
        /// Standard deviation of `.gaussian` as a share of the tile's side.
        public var sigma: Double
        /// Tiles in one run of the model.
        public var batch: Int
        /// Network axes (from 0, of those that the model sees) that are mirrored for test-time augmentation, in all
        /// combinations; results are averaged.
        public var mirror: [Int]
        /// Tiles whose input is one value throughout are not run; their output is background.
        public var skipsEmptyTiles: Bool
        /// Slices on each side that a 2D model sees as channels besides its own (2.5D); 0 otherwise.
        public var neighbours: Int
        /// The value outside the image.
        public var padding: Double
        /// Outside the image stands its nearest voxel, not `padding`.
        public var repeatsEdge: Bool
        /// With `.whole`: sides are padded to multiples of this, half of it before, what is odd after.
        public var multiple: Int

        /// One tile of any size, unless said otherwise.
        public init(
            scheme: Scheme = .whole, size: [Int] = [], overlap: Double = 0.5, weight: Weight = .gaussian,
            sigma: Double = 0.125, batch: Int = 1, mirror: [Int] = [], skipsEmptyTiles: Bool = false,
            neighbours: Int = 0, padding: Double = 0, repeatsEdge: Bool = false, multiple: Int = 1
        ) {
            self.scheme = scheme
            self.size = size
            self.overlap = overlap
            self.weight = weight
            self.sigma = sigma
            self.batch = batch
            self.mirror = mirror
            self.skipsEmptyTiles = skipsEmptyTiles
            self.neighbours = neighbours
            self.padding = padding
            self.repeatsEdge = repeatsEdge
            self.multiple = multiple
        }
    }
}
