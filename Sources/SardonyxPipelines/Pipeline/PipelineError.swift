/// Everything that is wrong with a pipeline, at once.
public struct PipelineError: Error, Sendable, Equatable, CustomStringConvertible {
    /// One thing that is wrong, and what to do about it.
    public struct Problem: Sendable, Equatable, CustomStringConvertible {
        /// Where it is not the error's own path.
        public var file: String?
        /// From 1; `nil` where the pipeline did not come from text.
        public var line: Int?
        /// From 1, in Unicode scalars.
        public var column: Int?
        /// Where in the pipeline, as `input.channels[0].intensity[2].clip.low`; empty for the whole.
        public var field: String
        /// What was found and what was expected.
        public var problem: String
        /// What the reader of the message can do; may be empty.
        public var remedy: String

        /// A problem; `problem` and `remedy` are clauses without a capital or a full stop.
        public init(
            file: String? = nil, line: Int? = nil, column: Int? = nil, field: String, problem: String,
            remedy: String = ""
        ) {
            self.file = file
            self.line = line
            self.column = column
            self.field = field
            self.problem = problem
            self.remedy = remedy
        }

        /// "12:5: tiling.overlap: 1.5 was found, …: remedy".
        public var description: String {
            let place = line.map { line in column.map { "\(line):\($0)" } ?? "\(line)" } ?? ""
            return [place, field, problem, remedy].filter { !$0.isEmpty }.joined(separator: ": ")
        }
    }

    /// The file, as the caller named it; empty when there is none.
    public let path: String
    /// At least one; by line where they come from one file.
    public let problems: [Problem]

    /// An error about a file; problems are put in the order of their lines.
    public init(path: String, problems: [Problem]) {
        self.path = path
        let problems = problems.map { problem in
            var problem = problem
            if problem.file == path { problem.file = nil }
            return problem
        }
        let places = problems.enumerated().map { ($1.file ?? "", $1.line ?? 0, $1.column ?? 0, $0) }
        self.problems = places.sorted { $0 < $1 }.map { problems[$0.3] }
    }

    init(path: String, field: String = "", _ problem: String, remedy: String = "") {
        self.init(path: path, problems: [Problem(field: field, problem: problem, remedy: remedy)])
    }

    /// One line a problem: "pipeline.yaml:12:5: tiling.overlap: …".
    public var description: String {
        problems.map {
            let file = $0.file ?? path
            return (file.isEmpty ? "" : file + ($0.line == nil ? ": " : ":")) + "\($0)"
        }.joined(separator: "\n")
    }
}
