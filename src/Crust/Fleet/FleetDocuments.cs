using System.Text.Json;
using System.Text.Json.Nodes;
using Crust.Disks;
using Crust.Reports;
using Crust.Spec;
using Crust.Storage;

namespace Crust.Fleet;

/// <summary>What lies beside a fleet's files: SHA256SUMS, `fleet.json` and `fleet.html`. No secret and no digest of one alone is in them.</summary>
internal static class FleetDocuments
{
    private const int FormatVersion = 1;

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <param name="drafts">A folder on the same file system that others can't enter.</param>
    /// <exception cref="IOException">They can't be written.</exception>
    public static async Task WriteAsync(FleetResult result, string drafts, CancellationToken cancellation)
    {
        var (folder, part) = (result.Request.Folder, result.Request.Part);
        OutputFile.Write(drafts, Path.Combine(folder, $"fleet{part}.json"), ToJson(result).ToJsonString(Indented) + "\n");
        OutputFile.Write(drafts, Path.Combine(folder, $"fleet{part}.html"), FleetPage.Render(result));
        // The lock of all who change the sums of a folder.
        using var held = await FileLock.AcquireAsync(Path.Combine(folder, ".lock"), null, cancellation);
        var sums = Path.Combine(folder, ChecksumFile.Name);
        OutputFile.Write(drafts, sums, ChecksumFile.Update(File.Exists(sums) ? File.ReadAllText(sums) : "",
            result.Entries.SelectMany(entry => entry.Files).ToDictionary(file => file.Name, file => file.Sha256), name => File.Exists(Path.Combine(folder, name))));
    }

    /// <summary>The fleet for machines. Names of files are seen from the folder.</summary>
    public static JsonObject ToJson(FleetResult result) => new()
    {
        ["version"] = FormatVersion,
        ["crust"] = CrustVersion.Current,
        ["base"] = result.BaseSha256 is null ? null : new JsonObject
        {
            ["file"] = Path.GetFileName(result.Request.Image),
            ["sha256"] = result.BaseSha256,
            ["seedPartition"] = new JsonObject { ["offset"] = result.Partition!.Value.Offset, ["size"] = result.Partition.Value.Length },
        },
        ["nodes"] = new JsonArray([.. result.Entries.Select(entry => new JsonObject
        {
            ["name"] = entry.Node.Name,
            ["macs"] = new JsonArray([.. entry.Node.Macs.Select(mac => (JsonNode)mac.ToString())]),
            ["serial"] = entry.Node.Serial,
            ["address"] = entry.Node.Address is null ? null : NodeText.AddressOf(entry.Node),
            ["role"] = entry.Node.Role,
            ["diskId"] = entry.DiskId,
            ["files"] = new JsonArray([.. entry.Files.Zip(result.Request.Forms).Select(pair => ToJson(pair.First, pair.Second, result.Request.Folder))]),
        })]),
    };

    private static JsonObject ToJson(FleetFile file, FleetForm form, string folder) => new()
    {
        ["form"] = form.LowerName(),
        ["file"] = file.Name,
        ["size"] = file.Size,
        ["sha256"] = file.Sha256,
        ["blockMap"] = form is FleetForm.Image && File.Exists(Path.Combine(folder, file.Name + BmapFile.Extension)) ? file.Name + BmapFile.Extension : null,
    };
}
