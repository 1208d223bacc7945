@testable import SardonyxImaging

/// Files that pynrrd 1.1, SimpleITK 2.5 and nibabel 5.4 wrote: 3×4×2 voxels of value 7i + 31j + 101k + 5·frame + 3·component, less
/// 100 where the type has a sign, and 0.5 more where it is a floating-point type; on the grid of `Sample.affine`.
struct Sample: Sendable, CustomStringConvertible {
    /// What wrote it.
    let call: String
    /// Names and contents in base64; the first is the header.
    let files: [(name: String, base64: String)]
    let frames: Int
    let components: Int
    let kind: Character
    var description: String { files[0].name }

    /// Writes the files; returns the header's path.
    func write(to folder: TemporaryFolder) -> String {
        for file in files { folder.write(fromBase64(file.base64), to: file.name) }
        return folder.path + "/" + files[0].name
    }

    func value(_ i: Int, _ j: Int, _ k: Int, frame: Int, component: Int) -> Float {
        let value = Float(7 * i + 31 * j + 101 * k + 5 * frame + 3 * component)
        return value - (kind == "u" ? 0 : 100) + (kind == "f" ? 0.5 : 0)
    }

    /// The values of a box, i fastest.
    func values(_ box: VoxelBox, frame: Int, component: Int) -> [Float] {
        (box.lower.z..<box.upper.z).flatMap { k in
            (box.lower.y..<box.upper.y).flatMap { j in
                (box.lower.x..<box.upper.x).map { value($0, j, k, frame: frame, component: component) }
            }
        }
    }

    static let affine: [Double] = [
        -0.6687355423879241, -0.43444421643827336, -0.17613240508147954, 10.5,
        -0.20686414466293768, 1.4044400453762989, 0.5693881829360623, -20.25,
        0.0, -0.2980039961925918, 2.940199733523725, 30.0,
    ]
    static let all: [Sample] = [
        Sample(
            call: "nrrd.write",
            files: [
                (
                    "short-big.nrrd",
                    """
                    TlJSRDAwMDUKIyBUaGlzIE5SUkQgZmlsZSB3YXMgZ2VuZXJhdGVkIGJ5IHB5bnJyZAojIG9uIDIwMjYtMTEtMjEgMj\
                    M6NDM6MDgoR01UKS4KIyBDb21wbGV0ZSBOUlJEIGZpbGUgZm9ybWF0IHNwZWNpZmljYXRpb24gYXQ6CiMgaHR0cDov\
                    L3RlZW0uc291cmNlZm9yZ2UubmV0L25ycmQvZm9ybWF0Lmh0bWwKdHlwZTogaW50MTYKZGltZW5zaW9uOiAzCnNwYW\
                    NlOiBsZWZ0LXBvc3Rlcmlvci1zdXBlcmlvcgpzaXplczogMyA0IDIKc3BhY2UgZGlyZWN0aW9uczogKDAuNjY4NzM1\
                    NTQyMzg3OTI0MSwwLjIwNjg2NDE0NDY2MjkzNzY4LDApICgwLjQzNDQ0NDIxNjQzODI3MzM2LC0xLjQwNDQ0MDA0NT\
                    M3NjI5ODksLTAuMjk4MDAzOTk2MTkyNTkxODIpICgwLjE3NjEzMjQwNTA4MTQ3OTU0LC0wLjU2OTM4ODE4MjkzNjA2\
                    MjMsMi45NDAxOTk3MzM1MjM3MjUxKQpraW5kczogZG9tYWluIGRvbWFpbiBkb21haW4KZW5kaWFuOiBiaWcKZW5jb2\
                    Rpbmc6IHJhdwpzcGFjZSBvcmlnaW46ICgtMTAuNSwyMC4yNSwzMCkKCv+c/6P/qv+7/8L/yf/a/+H/6P/5AAAABwAB\
                    AAgADwAgACcALgA/AEYATQBeAGUAbA==
                    """
                )
            ], frames: 1, components: 1, kind: "i"),
        Sample(
            call: "nrrd.write",
            files: [
                (
                    "float-gzip.nrrd",
                    """
                    TlJSRDAwMDUKIyBUaGlzIE5SUkQgZmlsZSB3YXMgZ2VuZXJhdGVkIGJ5IHB5bnJyZAojIG9uIDIwMjYtMTEtMjEgMj\
                    M6NDM6MDgoR01UKS4KIyBDb21wbGV0ZSBOUlJEIGZpbGUgZm9ybWF0IHNwZWNpZmljYXRpb24gYXQ6CiMgaHR0cDov\
                    L3RlZW0uc291cmNlZm9yZ2UubmV0L25ycmQvZm9ybWF0Lmh0bWwKdHlwZTogZmxvYXQKZGltZW5zaW9uOiAzCnNwYW\
                    NlOiBsZWZ0LXBvc3Rlcmlvci1zdXBlcmlvcgpzaXplczogMyA0IDIKc3BhY2UgZGlyZWN0aW9uczogKDAuNjY4NzM1\
                    NTQyMzg3OTI0MSwwLjIwNjg2NDE0NDY2MjkzNzY4LDApICgwLjQzNDQ0NDIxNjQzODI3MzM2LC0xLjQwNDQ0MDA0NT\
                    M3NjI5ODksLTAuMjk4MDAzOTk2MTkyNTkxODIpICgwLjE3NjEzMjQwNTA4MTQ3OTU0LC0wLjU2OTM4ODE4MjkzNjA2\
                    MjMsMi45NDAxOTk3MzM1MjM3MjUxKQpraW5kczogZG9tYWluIGRvbWFpbiBkb21haW4KZW5kaWFuOiBsaXR0bGUKZW\
                    5jb2Rpbmc6IGd6aXAKc3BhY2Ugb3JpZ2luOiAoLTEwLjUsMjAuMjUsMzApCgofiwgAAAAAAAIDDcWxDUBAAEDRH5UJ\
                    lAbR4MYwiKj0ChMYwQQSkqNRaLS2UBjAL14enAcsmjWoVaNM3w6r7giU8FYQPa2hUxIgV6FeoyZtuvSEHy5vDIVgAA\
                    AA
                    """
                )
            ], frames: 1, components: 1, kind: "f"),
        Sample(
            call: "nrrd.write",
            files: [
                (
                    "double-text.nrrd",
                    """
                    TlJSRDAwMDUKIyBUaGlzIE5SUkQgZmlsZSB3YXMgZ2VuZXJhdGVkIGJ5IHB5bnJyZAojIG9uIDIwMjYtMTEtMjEgMj\
                    M6NDM6MDgoR01UKS4KIyBDb21wbGV0ZSBOUlJEIGZpbGUgZm9ybWF0IHNwZWNpZmljYXRpb24gYXQ6CiMgaHR0cDov\
                    L3RlZW0uc291cmNlZm9yZ2UubmV0L25ycmQvZm9ybWF0Lmh0bWwKdHlwZTogZG91YmxlCmRpbWVuc2lvbjogNApzcG\
                    FjZTogbGVmdC1wb3N0ZXJpb3Itc3VwZXJpb3IKc2l6ZXM6IDMgNCAyIDIKc3BhY2UgZGlyZWN0aW9uczogKDAuNjY4\
                    NzM1NTQyMzg3OTI0MSwwLjIwNjg2NDE0NDY2MjkzNzY4LDApICgwLjQzNDQ0NDIxNjQzODI3MzM2LC0xLjQwNDQ0MD\
                    A0NTM3NjI5ODksLTAuMjk4MDAzOTk2MTkyNTkxODIpICgwLjE3NjEzMjQwNTA4MTQ3OTU0LC0wLjU2OTM4ODE4Mjkz\
                    NjA2MjMsMi45NDAxOTk3MzM1MjM3MjUxKSBub25lCmtpbmRzOiBkb21haW4gZG9tYWluIGRvbWFpbiB0aW1lCmVuY2\
                    9kaW5nOiB0ZXh0CnNwYWNlIG9yaWdpbjogKC0xMC41LDIwLjI1LDMwKQoKLTk5LjUKLTkyLjUKLTg1LjUKLTY4LjUK\
                    LTYxLjUKLTU0LjUKLTM3LjUKLTMwLjUKLTIzLjUKLTYuNQowLjUKNy41CjEuNQo4LjUKMTUuNQozMi41CjM5LjUKND\
                    YuNQo2My41CjcwLjUKNzcuNQo5NC41CjEwMS41CjEwOC41Ci05NC41Ci04Ny41Ci04MC41Ci02My41Ci01Ni41Ci00\
                    OS41Ci0zMi41Ci0yNS41Ci0xOC41Ci0xLjUKNS41CjEyLjUKNi41CjEzLjUKMjAuNQozNy41CjQ0LjUKNTEuNQo2OC\
                    41Cjc1LjUKODIuNQo5OS41CjEwNi41CjExMy41Cg==
                    """
                )
            ], frames: 2, components: 1, kind: "f"),
        Sample(
            call: "nrrd.write",
            files: [
                (
                    "colour.nrrd",
                    """
                    TlJSRDAwMDUKIyBUaGlzIE5SUkQgZmlsZSB3YXMgZ2VuZXJhdGVkIGJ5IHB5bnJyZAojIG9uIDIwMjYtMTEtMjEgMj\
                    M6NDM6MDgoR01UKS4KIyBDb21wbGV0ZSBOUlJEIGZpbGUgZm9ybWF0IHNwZWNpZmljYXRpb24gYXQ6CiMgaHR0cDov\
                    L3RlZW0uc291cmNlZm9yZ2UubmV0L25ycmQvZm9ybWF0Lmh0bWwKdHlwZTogdWludDgKZGltZW5zaW9uOiA0CnNwYW\
                    NlOiBsZWZ0LXBvc3Rlcmlvci1zdXBlcmlvcgpzaXplczogMyAzIDQgMgpzcGFjZSBkaXJlY3Rpb25zOiBub25lICgw\
                    LjY2ODczNTU0MjM4NzkyNDEsMC4yMDY4NjQxNDQ2NjI5Mzc2OCwwKSAoMC40MzQ0NDQyMTY0MzgyNzMzNiwtMS40MD\
                    Q0NDAwNDUzNzYyOTg5LC0wLjI5ODAwMzk5NjE5MjU5MTgyKSAoMC4xNzYxMzI0MDUwODE0Nzk1NCwtMC41NjkzODgx\
                    ODI5MzYwNjIzLDIuOTQwMTk5NzMzNTIzNzI1MSkKa2luZHM6IFJHQi1jb2xvciBkb21haW4gZG9tYWluIGRvbWFpbg\
                    plbmNvZGluZzogcmF3CnNwYWNlIG9yaWdpbjogKC0xMC41LDIwLjI1LDMwKQoKAAMGBwoNDhEUHyIlJiksLTAzPkFE\
                    RUhLTE9SXWBjZGdqa25xZWhrbG9yc3Z5hIeKi46RkpWYo6apqq2wsbS3wsXIyczP0NPW
                    """
                )
            ], frames: 1, components: 3, kind: "u"),
        Sample(
            call: "nrrd.write",
            files: [
                (
                    "detached.nhdr",
                    """
                    TlJSRDAwMDUKIyBUaGlzIE5SUkQgZmlsZSB3YXMgZ2VuZXJhdGVkIGJ5IHB5bnJyZAojIG9uIDIwMjYtMTEtMjEgMj\
                    M6NDM6MDgoR01UKS4KIyBDb21wbGV0ZSBOUlJEIGZpbGUgZm9ybWF0IHNwZWNpZmljYXRpb24gYXQ6CiMgaHR0cDov\
                    L3RlZW0uc291cmNlZm9yZ2UubmV0L25ycmQvZm9ybWF0Lmh0bWwKdHlwZTogdWludDE2CmRpbWVuc2lvbjogMwpzcG\
                    FjZTogbGVmdC1wb3N0ZXJpb3Itc3VwZXJpb3IKc2l6ZXM6IDMgNCAyCnNwYWNlIGRpcmVjdGlvbnM6ICgwLjY2ODcz\
                    NTU0MjM4NzkyNDEsMC4yMDY4NjQxNDQ2NjI5Mzc2OCwwKSAoMC40MzQ0NDQyMTY0MzgyNzMzNiwtMS40MDQ0NDAwND\
                    UzNzYyOTg5LC0wLjI5ODAwMzk5NjE5MjU5MTgyKSAoMC4xNzYxMzI0MDUwODE0Nzk1NCwtMC41NjkzODgxODI5MzYw\
                    NjIzLDIuOTQwMTk5NzMzNTIzNzI1MSkKa2luZHM6IGRvbWFpbiBkb21haW4gZG9tYWluCmVuZGlhbjogbGl0dGxlCm\
                    VuY29kaW5nOiBnemlwCnNwYWNlIG9yaWdpbjogKC0xMC41LDIwLjI1LDMwKQpkYXRhIGZpbGU6IGRldGFjaGVkLnJh\
                    dy5negoK
                    """
                ),
                (
                    "detached.raw.gz",
                    """
                    H4sIAAAAAAACA2NgYGfgY5BnUGPQZbBjcGXwYYhlSGHIZkhlyGEoZmhh6GaYxLCYYRXDRoZDDCcZLjAAAE7WodowAA\
                    AA
                    """
                ),
            ], frames: 1, components: 1, kind: "u"),
        Sample(
            call: "SimpleITK.WriteImage",
            files: [
                (
                    "itk.nrrd",
                    """
                    TlJSRDAwMDQKIyBDb21wbGV0ZSBOUlJEIGZpbGUgZm9ybWF0IHNwZWNpZmljYXRpb24gYXQ6CiMgaHR0cDovL3RlZW\
                    0uc291cmNlZm9yZ2UubmV0L25ycmQvZm9ybWF0Lmh0bWwKdHlwZTogaW50CmRpbWVuc2lvbjogMwpzcGFjZTogbGVm\
                    dC1wb3N0ZXJpb3Itc3VwZXJpb3IKc2l6ZXM6IDMgNCAyCnNwYWNlIGRpcmVjdGlvbnM6ICgwLjY2ODczNTU0MjM4Nz\
                    kyNDEsMC4yMDY4NjQxNDQ2NjI5Mzc2OCwwKSAoMC40MzQ0NDQyMTY0MzgyNzMzNiwtMS40MDQ0NDAwNDUzNzYyOTg5\
                    LC0wLjI5ODAwMzk5NjE5MjU5MTgyKSAoMC4xNzYxMzI0MDUwODE0Nzk1NCwtMC41NjkzODgxODI5MzYwNjIzLDIuOT\
                    QwMTk5NzMzNTIzNzI1MSkKa2luZHM6IGRvbWFpbiBkb21haW4gZG9tYWluCmVuZGlhbjogbGl0dGxlCmVuY29kaW5n\
                    OiBnemlwCnNwYWNlIG9yaWdpbjogKC0xMC41LDIwLjI1LDMwKQoKH4sIAAAAAAAAAwXBoQGCAAAAwTNhYwWazRVsNl\
                    eg2RzJZnMFG80VaDZWMD13z+pVvatPtVTfaq1+1Vb9KxhwwBEjJpxwxgVX3DDjjgd27BSBM2AAAAA=
                    """
                )
            ], frames: 1, components: 1, kind: "i"),
        Sample(
            call: "SimpleITK.WriteImage",
            files: [
                (
                    "zlib.mha",
                    """
                    T2JqZWN0VHlwZSA9IEltYWdlCk5EaW1zID0gMwpCaW5hcnlEYXRhID0gVHJ1ZQpCaW5hcnlEYXRhQnl0ZU9yZGVyTV\
                    NCID0gRmFsc2UKQ29tcHJlc3NlZERhdGEgPSBUcnVlCkNvbXByZXNzZWREYXRhU2l6ZSA9IDU5ClRyYW5zZm9ybU1h\
                    dHJpeCA9IDAuOTU1MzM2NDg5MTI1NjA2MDkgMC4yOTU1MjAyMDY2NjEzMzk2IDAgMC4yODk2Mjk0Nzc2MjU1MTU1NS\
                    AtMC45MzYyOTMzNjM1ODQxOTkyMyAtMC4xOTg2NjkzMzA3OTUwNjEyMiAwLjA1ODcxMDgwMTY5MzgyNjUxIC0wLjE4\
                    OTc5NjA2MDk3ODY4NzQzIDAuOTgwMDY2NTc3ODQxMjQxNzQKT2Zmc2V0ID0gLTEwLjUgMjAuMjUgMzAKQ2VudGVyT2\
                    ZSb3RhdGlvbiA9IDAgMCAwCkFuYXRvbWljYWxPcmllbnRhdGlvbiA9IFJQSQpFbGVtZW50U3BhY2luZyA9IDAuNjk5\
                    OTk5OTk5OTk5OTk5ODQgMS41IDMKRGltU2l6ZSA9IDMgNCAyCkVsZW1lbnRUeXBlID0gTUVUX1NIT1JUCkVsZW1lbn\
                    REYXRhRmlsZSA9IExPQ0FMCnheATAAz/+c/6P/qv+7/8L/yf/a/+H/6P/5/wAABwABAAgADwAgACcALgA/AEYATQBe\
                    AGUAbAC6thRX
                    """
                )
            ], frames: 1, components: 1, kind: "i"),
        Sample(
            call: "SimpleITK.WriteImage",
            files: [
                (
                    "vector.mha",
                    """
                    T2JqZWN0VHlwZSA9IEltYWdlCk5EaW1zID0gMwpCaW5hcnlEYXRhID0gVHJ1ZQpCaW5hcnlEYXRhQnl0ZU9yZGVyTV\
                    NCID0gRmFsc2UKQ29tcHJlc3NlZERhdGEgPSBGYWxzZQpUcmFuc2Zvcm1NYXRyaXggPSAwLjk1NTMzNjQ4OTEyNTYw\
                    NjA5IDAuMjk1NTIwMjA2NjYxMzM5NiAwIDAuMjg5NjI5NDc3NjI1NTE1NTUgLTAuOTM2MjkzMzYzNTg0MTk5MjMgLT\
                    AuMTk4NjY5MzMwNzk1MDYxMjIgMC4wNTg3MTA4MDE2OTM4MjY1MSAtMC4xODk3OTYwNjA5Nzg2ODc0MyAwLjk4MDA2\
                    NjU3Nzg0MTI0MTc0Ck9mZnNldCA9IC0xMC41IDIwLjI1IDMwCkNlbnRlck9mUm90YXRpb24gPSAwIDAgMApBbmF0b2\
                    1pY2FsT3JpZW50YXRpb24gPSBSUEkKRWxlbWVudFNwYWNpbmcgPSAwLjY5OTk5OTk5OTk5OTk5OTg0IDEuNSAzCkRp\
                    bVNpemUgPSAzIDQgMgpFbGVtZW50TnVtYmVyT2ZDaGFubmVscyA9IDIKRWxlbWVudFR5cGUgPSBNRVRfRkxPQVQKRW\
                    xlbWVudERhdGFGaWxlID0gTE9DQUwKAADHwgAAwcIAALnCAACzwgAAq8IAAKXCAACJwgAAg8IAAHbCAABqwgAAWsIA\
                    AE7CAAAWwgAACsIAAPTBAADcwQAAvMEAAKTBAADQwAAAYMAAAAA/AABgQAAA8EAAAChBAADAPwAAkEAAAAhBAAA4QQ\
                    AAeEEAAJRBAAACQgAADkIAAB5CAAAqQgAAOkIAAEZCAAB+QgAAhUIAAI1CAACTQgAAm0IAAKFCAAC9QgAAw0IAAMtC\
                    AADRQgAA2UIAAN9C
                    """
                )
            ], frames: 1, components: 2, kind: "f"),
        Sample(
            call: "SimpleITK.WriteImage",
            files: [
                (
                    "pair.mhd",
                    """
                    T2JqZWN0VHlwZSA9IEltYWdlCk5EaW1zID0gMwpCaW5hcnlEYXRhID0gVHJ1ZQpCaW5hcnlEYXRhQnl0ZU9yZGVyTV\
                    NCID0gRmFsc2UKQ29tcHJlc3NlZERhdGEgPSBUcnVlCkNvbXByZXNzZWREYXRhU2l6ZSA9IDMzClRyYW5zZm9ybU1h\
                    dHJpeCA9IDAuOTU1MzM2NDg5MTI1NjA2MDkgMC4yOTU1MjAyMDY2NjEzMzk2IDAgMC4yODk2Mjk0Nzc2MjU1MTU1NS\
                    AtMC45MzYyOTMzNjM1ODQxOTkyMyAtMC4xOTg2NjkzMzA3OTUwNjEyMiAwLjA1ODcxMDgwMTY5MzgyNjUxIC0wLjE4\
                    OTc5NjA2MDk3ODY4NzQzIDAuOTgwMDY2NTc3ODQxMjQxNzQKT2Zmc2V0ID0gLTEwLjUgMjAuMjUgMzAKQ2VudGVyT2\
                    ZSb3RhdGlvbiA9IDAgMCAwCkFuYXRvbWljYWxPcmllbnRhdGlvbiA9IFJQSQpFbGVtZW50U3BhY2luZyA9IDAuNjk5\
                    OTk5OTk5OTk5OTk5ODQgMS41IDMKRGltU2l6ZSA9IDMgNCAyCkVsZW1lbnRUeXBlID0gTUVUX1VDSEFSCkVsZW1lbn\
                    REYXRhRmlsZSA9IHBhaXIuenJhdwo=
                    """
                ),
                (
                    "pair.zraw",
                    """
                    eF5jYOeTV9O1c/WJTclOzSlu6Z60eNXGQycvAABSOgnB
                    """
                ),
            ], frames: 1, components: 1, kind: "u"),
        Sample(
            call: "SimpleITK.WriteImage",
            files: [
                (
                    "series.mha",
                    """
                    T2JqZWN0VHlwZSA9IEltYWdlCk5EaW1zID0gNApCaW5hcnlEYXRhID0gVHJ1ZQpCaW5hcnlEYXRhQnl0ZU9yZGVyTV\
                    NCID0gRmFsc2UKQ29tcHJlc3NlZERhdGEgPSBGYWxzZQpUcmFuc2Zvcm1NYXRyaXggPSAwLjk1NTMzNjQ4OTEyNTYw\
                    NjA5IDAuMjk1NTIwMjA2NjYxMzM5NiAwIDAgMC4yODk2Mjk0Nzc2MjU1MTU1NSAtMC45MzYyOTMzNjM1ODQxOTkyMy\
                    AtMC4xOTg2NjkzMzA3OTUwNjEyMiAwIDAuMDU4NzEwODAxNjkzODI2NTEgLTAuMTg5Nzk2MDYwOTc4Njg3NDMgMC45\
                    ODAwNjY1Nzc4NDEyNDE3NCAwIDAgMCAwIDEKT2Zmc2V0ID0gLTEwLjUgMjAuMjUgMzAgMApDZW50ZXJPZlJvdGF0aW\
                    9uID0gMCAwIDAgMApFbGVtZW50U3BhY2luZyA9IDAuNjk5OTk5OTk5OTk5OTk5ODQgMS41IDMgMQpEaW1TaXplID0g\
                    MyA0IDIgMgpBbmF0b21pY2FsT3JpZW50YXRpb24gPSA/Pz8/CkVsZW1lbnRUeXBlID0gTUVUX1VTSE9SVApFbGVtZW\
                    50RGF0YUZpbGUgPSBMT0NBTAoAAAcADgAfACYALQA+AEUATABdAGQAawBlAGwAcwCEAIsAkgCjAKoAsQDCAMkA0AAF\
                    AAwAEwAkACsAMgBDAEoAUQBiAGkAcABqAHEAeACJAJAAlwCoAK8AtgDHAM4A1QA=
                    """
                )
            ], frames: 2, components: 1, kind: "u"),
        Sample(
            call: "nibabel.save",
            files: [
                (
                    "big.nii",
                    """
                    AAABXAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAADAAMABAACAAEAAQABAAEAAAAAAAAAAAAAAA\
                    AAAAAIACAAAL+AAAA/MzMzP8AAAEBAAAA/gAAAP4AAAD+AAAA/gAAAQ7AAAD+AAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
                    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
                    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAr4YQpo/e9xfvcopuUEo\
                    AADBogAAQfAAAL8rMkG+3m95vjRcDkEoAAC+U9QyP7PEsT8Rw23BogAAAAAAAL6Yk/tAPCw8QfAAAAAAAAAAAAAAAA\
                    AAAAAAAABuKzEAAAAAAP///5z///+j////qv///7v////C////yf///9r////h////6P////kAAAAAAAAABwAAAAEA\
                    AAAIAAAADwAAACAAAAAnAAAALgAAAD8AAABGAAAATQAAAF4AAABlAAAAbA==
                    """
                )
            ], frames: 1, components: 1, kind: "i"),
        Sample(
            call: "nibabel.save",
            files: [
                (
                    "two.nii.gz",
                    """
                    H4sIAAAAAAAE/5NhYmDI0zZi4OWS4nJgcGBgZoAAGM0C5QOVgQEjARoqjYP6sD81DQSe2UMU/IDSHA4Q/gcoH5NWgD\
                    kArBAmD9E1WEmQk+3Kb9oFcxze3+QQfLe7+r19vI2xjrnrzv0QN6s6gGkHkwMQvp3D7OB2EY+0p/t7qpJk35+9vX/J\
                    vNObG7uPwdWLZLNatFWd2v8snFFhWsU3+xg+vom5Fo8g4QY3h4GBNy4vql7o8v47nZIF7a3sEHsY7KA0xDaiyQcRB8\
                    BqFcIhdEIolB8IoQ/4QWgHbyjfCUI32EFpcwjNIAWlH0DjWc6BAQxg6UARyteH0A4OEPqAM5TvDuX7Q+gFgRA6IRjK\
                    D4fyIyG0QrQDADxLsFXgAgAA
                    """
                )
            ], frames: 1, components: 1, kind: "f"),
        Sample(
            call: "SimpleITK.WriteImage",
            files: [
                (
                    "vector.nii.gz",
                    """
                    H4sIAAAAAAAAA8WQvyvEcRjHX3eHdEWUZJIRZ3DOID/6fD6PMlpsunKzRBl0pXQlg0GpM7hMxGShm8h97/t9TikWyq\
                    Iu/gQ32Cz63t2CxeZdT73fT+/nXe8nHeEPWKeVGC1EidTn+9F7rIuBOsuVU6mUAd+Atb9zLmYhZ5oizj8j7FGQPm+p\
                    ummuh+5LMOjgJICas2OJcnbt1etIj3vhPvm84F3eFs1KpduEnpmettHP/KE3NTJtQ//P7NVEssnuFK4UzhV2FTYUFh\
                    V6FT4CuAng0QcM1Gzjd+0Osg6iAv0CkwJbAnsCRwIlgQeBF4FAoahwprCtsKwwrxBXqAZwGkDGh4xt9Nu3MOHgwEGn\
                    wLDAnMCOQF7gWKAi8CTwJl+yWZvzIAIAAA==
                    """
                )
            ], frames: 1, components: 2, kind: "f"),
    ]
}
