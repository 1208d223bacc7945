import SardonyxImaging

/// What stands around a trained model: which images it takes and how they are prepared, how it is run over them, and
/// what is made of its outputs. A folder with `model.onnx` and `pipeline.yaml`; every step is a value.
public struct Pipeline: Sendable, Equatable {
    /// What the pipeline is for.
    public enum Task: String, Sendable, CaseIterable {
        /// A label for each voxel.
        case segmentation
        /// A probability for each class, for the whole image.
        case classification
        /// Boxes with classes and scores.
        case detection
        /// An image of the same kind: denoising, super-resolution, synthesis.
        case reconstruction
    }

    /// What people call it.
    public var name: String
    /// What it is for.
    public var task: Task
    /// The model's path; a relative one stands beside pipeline.yaml.
    public var model: String
    /// What goes into the model.
    public var input: Input
    /// How the model is run over an image that is larger than its input.
    public var tiling: Tiling
    /// What is made of the model's output, before labels.
    public var output: Output
    /// The classes, without the background.
    public var labels: [Label]
    /// What is done to the labels, in order.
    public var postprocessing: [PostprocessingStep]
    /// The files that are written.
    public var results: [ResultFile]

    /// What goes into the model.
    public struct Input: Sendable, Equatable {
        /// The model's input; `nil` for its only one.
        public var name: String?
        /// The images that are stacked as channels, in the model's order. A colour picture fills several at once.
        public var channels: [Channel]
        /// The direction in which each spatial index of the network's input grows.
        public var axes: Axes
        /// Voxels of the network's grid.
        public var sampling: Sampling
        /// How the voxels of another spacing lie over the source's.
        public var alignment: Alignment
        /// How values between voxels are found.
        public var interpolation: Interpolation
        /// Whether intensities are changed on the source's grid, as nnU-Net does, or on the network's, as MONAI.
        public var changesIntensityFirst: Bool
        /// Whether a voxel that is not finite is an error; else it counts as 0.
        public var refusesNonFinite: Bool
        /// Low-pass filters before a coarser grid, as scikit-image's `resize` does.
        public var antialias: Bool
        /// nnU-Net's rule: where one axis is more than three times coarser than the finest, it is resampled nearest, the
        /// others as `interpolation` says.
        public var separateAnisotropicAxis: Bool
        /// What of the image is kept.
        public var crop: Crop
    }

    /// One channel of the model's input.
    public struct Channel: Sendable, Equatable {
        /// The modality: "T1", "FLAIR", "CT"; names the image on the command line.
        public var name: String
        /// Values of a colour picture's voxel, for example [0, 1, 2]; `nil` for the only one.
        public var component: Int?
        /// What is done to the values, in order.
        public var intensity: [IntensityStep]
    }

    /// One change of a channel's values.
    public enum IntensityStep: Sendable, Equatable {
        /// v ↦ min(max(v, low), high). An infinite bound leaves that side.
        case clip(low: Double, high: Double)
        /// Bounds are percentiles (0 to 100, linear between values) of the voxels in `region`.
        case clipPercentiles(low: Double, high: Double, region: Region)
        /// Maps low … high to newLow … newHigh linearly; clipped when `clips`.
        case scale(low: Double, high: Double, newLow: Double, newHigh: Double, clips: Bool)
        /// Maps the least and the largest value of `region` to newLow … newHigh.
        case scaleToRange(newLow: Double, newHigh: Double, region: Region)
        /// The same between two percentiles, clipped when `clips`.
        case scalePercentiles(
            low: Double, high: Double, newLow: Double, newHigh: Double, clips: Bool, region: Region)
        /// (v − mean) / deviation with given figures.
        case normalize(mean: Double, deviation: Double)
        /// (v − mean) / max(deviation, 1e-8) with the figures of `region`; outside it 0 when `onlyInside`.
        case zScore(region: Region, onlyInside: Bool)
        /// v · factor + offset.
        case linear(factor: Double, offset: Double)
    }

    /// Voxels that a statistic is taken over.
    public enum Region: Sendable, Equatable {
        /// All.
        case everything
        /// Those that are not 0.
        case nonzero
        /// Those above a value.
        case above(Double)
        /// Those inside the crop's foreground with its holes filled, as nnU-Net's z-score uses for MR.
        case foreground
    }

    /// Which way the network's spatial axes run.
    public enum Axes: Sendable, Equatable {
        /// By the patient: the first spatial axis of the network grows towards the first direction, and so on.
        case anatomical(Orientation)
        /// As stored: `axes[n]` is the stored axis (0 i, 1 j, 2 k) of the network's n-th spatial axis. MONAI without
        /// `Orientation` has [0, 1, 2], nnU-Net [2, 1, 0].
        case stored([Int])
    }

    /// The network's grid.
    public enum Sampling: Sendable, Equatable {
        /// The source's voxels.
        case source
        /// Millimetres along the network's spatial axes; `nil` keeps an axis.
        case spacing([Double?])
        /// The whole image in so many voxels along the network's spatial axes.
        case size([Int])
    }

    /// How the voxels of another spacing lie over the source's.
    public enum Alignment: String, Sendable, CaseIterable {
        /// Outer face on outer face, the number of voxels rounded, as nnU-Net and SciPy's `zoom(grid_mode=True)`.
        case faces
        /// First centre on first centre, the spacing exact, as MONAI's `Spacing`.
        case firstVoxel
    }

    /// What of the image is kept; results outside are background.
    public enum Crop: Sendable, Equatable {
        /// All.
        case none
        /// The box around voxels above a value in any channel, and `margin` voxels more on each side.
        case foreground(above: Double, margin: Int)
    }

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

        public var scheme: Scheme
        /// Voxels along the network's spatial axes; empty with `.whole`, or to take the model's own.
        public var size: [Int]
        /// Share of a tile that its neighbour covers too, 0 up to below 1.
        public var overlap: Double
        public var weight: Weight
        /// Standard deviation as a share of the tile's side.
        public var sigma: Double
        /// Tiles in one run of the model.
        public var batch: Int
        /// Network axes that are mirrored for test-time augmentation, in all combinations; results are averaged.
        public var mirror: [Int]
        /// Tiles whose input is one value throughout are not run; their output is background.
        public var skipsEmptyTiles: Bool
        /// Slices on each side that a 2D model sees as channels besides its own (2.5D); 0 otherwise.
        public var neighbours: Int
        /// The value outside the image.
        public var padding: Double
    }

    /// What is made of the model's output, before labels.
    public struct Output: Sendable, Equatable {
        /// A function of all channels of a voxel, or of a class score.
        public enum Activation: String, Sendable, CaseIterable {
            case none, sigmoid, softmax
        }

        /// How a voxel gets its label.
        public enum Decision: Sendable, Equatable {
            /// The channel with the largest value; equals go to the first. Channel 0 is the background.
            case argmax
            /// Channel c gives label c + 1 where its value is above the threshold; later channels win (regions).
            case threshold(Double)
            /// No labels: values are the result.
            case values
        }

        /// The model's output; `nil` for its first.
        public var name: String?
        public var activation: Activation
        /// Whether the activation comes after the values are back on the source's grid, as nnU-Net does.
        public var activatesLast: Bool
        /// How values come back to the source's grid.
        public var interpolation: Interpolation
        public var decision: Decision
        /// For reconstruction: undoes the last linear intensity steps of channel 0, so that values are the source's.
        public var restoresIntensity: Bool
        /// For detection.
        public var detection: Detection?
    }

    /// How boxes come out of a detector.
    public struct Detection: Sendable, Equatable {
        /// Outputs of the model that hold boxes [n, 4] (or [1, n, 4]), scores and classes [n].
        public var boxes: String
        public var scores: String
        /// `nil` where scores are [n, classes].
        public var classes: String?
        /// Corners x1 y1 x2 y2, or centre and size.
        public var areCentres: Bool
        /// True where boxes count from 0 to 1 over the network's input.
        public var areRelative: Bool
        /// Boxes with lower scores are dropped.
        public var scoreThreshold: Double
        /// Boxes that overlap a better one of their class by more (intersection over union) are dropped.
        public var overlapThreshold: Double
        /// At most so many are kept.
        public var limit: Int
    }

    /// A class.
    public struct Label: Sendable, Equatable {
        /// What is written into the label volume, 1 to 65535; a classifier's index, from 0.
        public var value: Int
        public var name: String
        public var colour: RGB
    }

    /// One change of the labels; labels empty means each of them, one by one.
    public enum PostprocessingStep: Sendable, Equatable {
        /// Only the largest connected part of each label stays.
        case largestComponent(labels: [Int])
        /// Parts smaller than this many mm³ go.
        case minimumVolume(cubicMillimetres: Double, labels: [Int])
        /// Background that a label encloses becomes that label.
        case fillHoles(labels: [Int])
    }

    /// A file that is written into the study's folder.
    public struct ResultFile: Sendable, Equatable {
        public enum Kind: String, Sendable, CaseIterable {
            /// The labels, or the reconstructed image.
            case image
            /// The values of each channel after the activation, on the source's grid.
            case probabilities
            /// A picture with outlines in the labels' colours.
            case picture
            /// Measures of each label, as .csv or .json; classes with probabilities; boxes.
            case measures
        }

        public var kind: Kind
        /// Its name, whose ending tells the format.
        public var file: String
    }
}
