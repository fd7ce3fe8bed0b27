using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Crust.Formats;

/// <summary>A run of bytes in a file.</summary>
/// <param name="Offset">Where it starts, in bytes.</param>
/// <param name="Length">Its length in bytes.</param>
internal sealed record FilePart(long Offset, long Length);

/// <summary>A disk as QEMU reads it.</summary>
internal sealed record QemuDisk(string Driver, string Path)
{
    /// <summary>The driver of a disk that is its bytes and nothing else.</summary>
    public const string Raw = "raw";

    /// <summary>Where in the file the disk is; null if it is the whole file.</summary>
    public FilePart? Part { get; init; }

    /// <summary>
    /// How QEMU's programs are told of it: a raw disk by its absolute path, others by a description in JSON (qemu(1), "json:{…}"), which says that there is no backing
    /// file, whatever the image says. The driver has to be told beside it.
    /// </summary>
    public string Reference
    {
        get
        {
            var path = System.IO.Path.GetFullPath(Path);
            if (Driver == Raw && Part is null)
            {
                return path;
            }

            var file = new JsonObject { ["driver"] = "file", ["filename"] = path };
            if (Part is not null)
            {
                file = new JsonObject { ["driver"] = Raw, ["offset"] = Part.Offset, ["size"] = Part.Length, ["file"] = file };
            }

            var disk = new JsonObject { ["driver"] = Driver, ["file"] = file };
            if (Driver != Raw)
            {
                disk["backing"] = null;
            }

            return "json:" + disk.ToJsonString(Plain);
        }
    }

    // A backing file's name has at most 1023 bytes in a qcow2: no letter becomes an escape of six.
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
