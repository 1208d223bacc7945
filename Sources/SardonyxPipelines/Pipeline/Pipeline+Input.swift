import SardonyxImaging

extension Pipeline {
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
        public var alignment: SpacingRule
        /// How values between voxels are found.
        public var interpolation: Interpolation
        /// Whether a spline stays between the least and the largest value of the channel before it, or of each slice
        /// where an axis is apart, as scikit-image's `resize` and nnU-Net do; SciPy's goes beyond them beside edges.
        public var keepsRange: Bool
        /// Whether intensities are changed on the source's grid, as nnU-Net does, or on the network's, as MONAI.
        public var changesIntensityFirst: Bool
        /// Whether a voxel that is not finite is an error; else it counts as 0, before all else.
        public var refusesNonFinite: Bool
        /// Low-pass filters before a coarser grid, as scikit-image's `resize` does.
        public var antialias: Bool
        /// nnU-Net's rule, into the network's grid and back: where one axis is more than three times coarser than the
        /// finest, it is resampled nearest, the others as `interpolation` says.
        public var separateAnisotropicAxis: Bool
        /// What of the image is kept.
        public var crop: Crop
        /// Whether the box of the crop is found on the network's grid, in whose voxels its margin counts, before the
        /// intensities that are changed there; else on the source's, before all else but the axes.
        public var cropsLast: Bool

        /// An input of these channels; else the source's own grid and values.
        public init(
            name: String? = nil, channels: [Channel], axes: Axes = .anatomical(.ras), sampling: Sampling = .source,
            alignment: SpacingRule = .faces, interpolation: Interpolation = .linear, keepsRange: Bool = false,
            changesIntensityFirst: Bool = false, refusesNonFinite: Bool = false, antialias: Bool = false,
            separateAnisotropicAxis: Bool = false, crop: Crop = .none, cropsLast: Bool = false
        ) {
            self.name = name
            self.channels = channels
            self.axes = axes
            self.sampling = sampling
            self.alignment = alignment
            self.interpolation = interpolation
            self.keepsRange = keepsRange
            self.changesIntensityFirst = changesIntensityFirst
            self.refusesNonFinite = refusesNonFinite
            self.antialias = antialias
            self.separateAnisotropicAxis = separateAnisotropicAxis
            self.crop = crop
            self.cropsLast = cropsLast
        }
    }

    /// One channel of the model's input.
    public struct Channel: Sendable, Equatable {
        /// The modality: "T1", "FLAIR", "CT"; names the image on the command line.
        public var name: String
        /// Which value of a colour picture's voxel, from 0: red, green, blue; `nil` for the only one.
        public var component: Int?
        /// What is done to the values, in order.
        public var intensity: [IntensityStep]

        /// A channel; values as they are without steps.
        public init(name: String, component: Int? = nil, intensity: [IntensityStep] = []) {
            self.name = name
            self.component = component
            self.intensity = intensity
        }
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
        /// v / max of `region`; an image without a value above 0 is blank.
        case divideByMaximum(region: Region)
        /// (v − mean) / deviation with given figures.
        case normalize(mean: Double, deviation: Double)
        /// (v − mean) / max(deviation, 1e-8) with the figures of `region` (population deviation); outside it 0 when
        /// `onlyInside`.
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
        /// Those that are not 0 in every channel of the source, holes filled, as nnU-Net's z-score uses for MR.
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
        /// Millimetres along the network's three axes; `nil` keeps an axis.
        case spacing([Double?])
        /// The whole image in so many voxels along the network's three axes; `nil` keeps an axis.
        case size([Int?])
    }

    /// What of the image is kept; results outside are background.
    public enum Crop: Sendable, Equatable {
        /// All.
        case none
        /// The box around voxels above a value in any channel, and `margin` voxels more on each side.
        case foreground(above: Double, margin: Int)
        /// The box around voxels that are not 0 in any channel, and `margin` voxels more on each side.
        case nonzero(margin: Int)
    }
}
