import SardonyxImaging

/// What stands around a trained model: which images it takes and how they are prepared, how it is run over them, and
/// what is made of its outputs. A folder with `model.onnx` and `pipeline.yaml`; every step is a value.
///
/// A network has two or three spatial axes. Three axes are always named (`Input.axes`): a 3D model sees them in that
/// order; a 2D model sees the last two, and its slices follow one another along the first.
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
    /// The model's path; a relative one stands beside pipeline.yaml. `init(contentsOf:configuration:)` gives it
    /// resolved: the folder's path, a slash, and the path in the file.
    public var model: String
    /// What goes into the model.
    public var input: Input
    /// How the model is run over an image that is larger than its input.
    public var tiling: Tiling
    /// What is made of the model's output, before labels.
    public var output: Output
    /// The classes, without the background. By `Decision.argmax` channel c gives `labels[c − 1]`, by `.threshold`
    /// channel c gives `labels[c]`; a classifier's score c belongs to the label of value c.
    public var labels: [Label]
    /// What is done to the labels, in order.
    public var postprocessing: [PostprocessingStep]
    /// The files that are written; their order means nothing.
    public var results: [ResultFile]

    /// A pipeline; what is not given does nothing.
    public init(
        name: String, task: Task = .segmentation, model: String = "model.onnx", input: Input, tiling: Tiling = Tiling(),
        output: Output = Output(), labels: [Label] = [], postprocessing: [PostprocessingStep] = [],
        results: [ResultFile] = []
    ) {
        self.name = name
        self.task = task
        self.model = model
        self.input = input
        self.tiling = tiling
        self.output = output
        self.labels = labels
        self.postprocessing = postprocessing
        self.results = results
    }

    /// A class.
    public struct Label: Sendable, Equatable {
        /// What is written into the label volume, 1 to 65535; a classifier's or detector's index, from 0.
        public var value: Int
        /// What people call it.
        public var name: String
        /// Of outlines and legends.
        public var colour: RGB

        /// A class; without a colour the one that pictures give its value.
        public init(value: Int, name: String, colour: RGB? = nil) {
            self.value = value
            self.name = name
            self.colour = colour ?? LabelStyle.colour(of: value)
        }
    }

    /// A file that is written into the study's folder.
    public struct ResultFile: Sendable, Equatable {
        /// What it holds.
        public enum Kind: String, Sendable, CaseIterable {
            /// The labels, or the reconstructed image: .nii, .nii.gz, .nrrd, .png, .tif or .tiff.
            case image
            /// The values of each channel after the activation, on the source's grid: .nii, .nii.gz or .nrrd.
            case probabilities
            /// One 0/1 volume a label, as channels of one file, for labels that overlap: .nii, .nii.gz or .nrrd.
            case masks
            /// A picture with outlines in the labels' colours: .png.
            case picture
            /// Measures of each label; classes with probabilities; boxes: .csv or .json.
            case measures

            /// The endings that a file of this kind may have.
            public var endings: [String] {
                switch self {
                case .image: return [".nii.gz", ".nii", ".nrrd", ".png", ".tif", ".tiff"]
                case .probabilities, .masks: return [".nii.gz", ".nii", ".nrrd"]
                case .picture: return [".png"]
                case .measures: return [".csv", ".json"]
                }
            }
        }

        /// What it holds.
        public var kind: Kind
        /// Its name, whose ending tells the format.
        public var file: String

        /// Whether measures are a table rather than JSON.
        var isCSV: Bool { file.lowercased().hasSuffix(".csv") }

        /// A file in the study's folder.
        public init(_ kind: Kind, _ file: String) {
            self.kind = kind
            self.file = file
        }
    }
}
