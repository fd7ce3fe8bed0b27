using System.Text.Json.Nodes;

namespace Crust.Formats;

/// <summary>A run of bytes in a file.</summary>
/// <param name="Offset">Where it starts, in bytes.</param>
/// <param name="Length">Its length in bytes.</param>
public sealed record FilePart(long Offset, long Length);

/// <summary>A disk as QEMU reads it.</summary>
/// <param name="Driver">QEMU's block driver.</param>
/// <param name="Path">The file.</param>
public sealed record QemuDisk(string Driver, string Path)
{
    /// <summary>Where in the file the disk is; null if it is the whole file.</summary>
    public FilePart? Part { get; init; }

    /// <summary>How qemu-img is told of it: the file's absolute path, or a description in JSON (qemu(1), "json:{…}").</summary>
    public string Reference
    {
        get
        {
            var path = System.IO.Path.GetFullPath(Path);
            return Part is null ? path : "json:" + new JsonObject
            {
                ["driver"] = Driver,
                ["file"] = new JsonObject
                {
                    ["driver"] = "raw",
                    ["offset"] = Part.Offset,
                    ["size"] = Part.Length,
                    ["file"] = new JsonObject { ["driver"] = "file", ["filename"] = path },
                },
            }.ToJsonString();
        }
    }
}
