import SardonyxImaging

extension Pipeline {
    /// What is made of the model's output, before labels.
    public struct Output: Sendable, Equatable {
        /// A function of all channels of a voxel, or of a class score.
        public enum Activation: String, Sendable, CaseIterable {
            /// Values as the model gives them.
            case none
            /// 1 / (1 + e^−v), channel by channel.
            case sigmoid
            /// e^v over the sum of all channels.
            case softmax
        }

        /// How a voxel gets its label.
        public enum Decision: Sendable, Equatable {
            /// The channel with the largest value; equals go to the first. Channel 0 is the background, channel c
            /// gives `labels[c − 1]`.
            case argmax
            /// Channel c gives `labels[c]` where its value is above the threshold; later channels win (regions).
            case threshold(Double)
            /// No labels: values are the result.
            case values
        }

        /// The model's output; `nil` for its first.
        public var name: String?
        /// A function of all channels of a voxel, or of a class score.
        public var activation: Activation
        /// Whether the activation comes after the values are back on the source's grid, as nnU-Net does.
        public var activatesLast: Bool
        /// How values come back to the source's grid.
        public var interpolation: Interpolation
        /// How a voxel gets its label.
        public var decision: Decision
        /// For reconstruction: undoes the last linear intensity steps of channel 0, so that values are the source's.
        public var restoresIntensity: Bool
        /// For detection.
        public var detection: Detection?

        /// The model's first output as it is, unless said otherwise.
        public init(
            name: String? = nil, activation: Activation = .none, activatesLast: Bool = false,
            interpolation: Interpolation = .linear, decision: Decision = .values, restoresIntensity: Bool = false,
            detection: Detection? = nil
        ) {
            self.name = name
            self.activation = activation
            self.activatesLast = activatesLast
            self.interpolation = interpolation
            self.decision = decision
            self.restoresIntensity = restoresIntensity
            self.detection = detection
        }
    }

    /// How boxes come out of a detector.
    public struct Detection: Sendable, Equatable {
        /// The output that holds boxes: [n, 4] or [1, n, 4].
        public var boxes: String
        /// The output that holds scores: [n], or [n, classes].
        public var scores: String
        /// The output that holds classes, [n]; `nil` where scores are [n, classes].
        public var classes: String?
        /// Centre and size x y w h; else corners x1 y1 x2 y2.
        public var areCentres: Bool
        /// True where boxes count from 0 to 1 over the network's input.
        public var areRelative: Bool
        /// Boxes with lower scores are dropped.
        public var scoreThreshold: Double
        /// Boxes that overlap a better one of their class by more (intersection over union) are dropped.
        public var overlapThreshold: Double
        /// At most so many are kept.
        public var limit: Int

        /// Corners in pixels of the network's input, unless said otherwise.
        public init(
            boxes: String, scores: String, classes: String? = nil, areCentres: Bool = false, areRelative: Bool = false,
            scoreThreshold: Double = 0.5, overlapThreshold: Double = 0.5, limit: Int = 100
        ) {
            self.boxes = boxes
            self.scores = scores
            self.classes = classes
            self.areCentres = areCentres
            self.areRelative = areRelative
            self.scoreThreshold = scoreThreshold
            self.overlapThreshold = overlapThreshold
            self.limit = limit
        }
    }

    /// One change of the labels; labels empty means each of them, one by one.
    public enum PostprocessingStep: Sendable, Equatable {
        /// Only the largest connected part of each label stays.
        case largestComponent(labels: [Int], connectivity: Connectivity = .faces)
        /// Parts smaller than this many mm³ go.
        case minimumVolume(cubicMillimetres: Double, labels: [Int])
        /// Background that a label encloses becomes that label.
        case fillHoles(labels: [Int])
    }
}
