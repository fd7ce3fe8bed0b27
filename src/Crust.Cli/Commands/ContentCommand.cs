using System.CommandLine;
using System.Text.Json.Nodes;
using Crust.Cli.Progress;
using Crust.Content;
using Crust.Spec;

namespace Crust.Cli.Commands;

/// <summary>`crust content`: container images and files for sites without a network.</summary>
internal static class ContentCommand
{
    private const string DefaultFile = "content.yaml";

    public static Command Create()
    {
        var file = new Argument<string>("SPEC") { Description = "The file that lists the images and files.", DefaultValueFactory = _ => DefaultFile };
        var iso = new Option<string>("--iso") { Description = $"Also copy this installer's ISO, with the parts in /{ContentExtras.FolderOnIso}.", HelpName = "FILE" };
        var partition = new Option<bool>("--partition") { Description = $"Also write a file system labelled {ContentExtras.PartitionLabel} with the parts, to be a partition of a disk." };
        var disk = new Option<string>("--disk") { Description = "Also copy this raw disk image, with that partition behind those that it has.", HelpName = "FILE" };
        var below = new Option<string>("--below")
        {
            Description = "Put the bundle into this folder below the output folder, which a layer of files then takes as it is: opt/spectrocloud/content.",
            HelpName = "PATH",
        };
        var (target, system) = (Target(), SystemSize());
        var sign = new SpecOptions(key => key.Path.StartsWith("sign.", StringComparison.Ordinal));
        var (output, json, quiet) = (CommonOptions.Output(), CommonOptions.Json(), CommonOptions.Quiet());
        output.Description = "The folder for the bundle.";
        output.DefaultValueFactory = _ => "content";
        var command = new Command("content", "Packs container images and files into a bundle for sites without a network, in parts with checksums and a manifest beside them.")
        {
            file, output, iso, partition, disk, below, target, system, json, quiet, ContentCheckCommand.Create(),
        };
        sign.AddOptionsTo(command);
        command.SetAction(async (parse, cancellation) =>
        {
            var environment = HostEnvironment.Take();
            var plan = ContentPlanReader.Read(parse.GetRequiredValue(file));
            var folder = Path.GetFullPath(parse.GetRequiredValue(output));
            var request = new ContentRequest(plan, Path.TrimEndingDirectorySeparator(Path.Combine(folder, BelowOf(parse.GetValue(below)))), sign.Read(parse, environment).Sign)
            {
                Iso = parse.GetValue(iso) is { } path ? Path.GetFullPath(path) : null,
                HasPartition = parse.GetValue(partition),
                Disk = parse.GetValue(disk) is { } image ? Path.GetFullPath(image) : null,
                Target = SizeOf(parse.GetValue(target), "--target"),
                SystemSize = SizeOf(parse.GetValue(system), "--system") ?? 0,
            };
            await using var view = ProgressView.Create(environment, parse.GetValue(quiet), MessageWriter.Of(parse));
            await using var services = new CrustServices(environment, folder, view, MessageWriter.Of(parse).Hidden);
            var result = await services.Content.BuildAsync(request, cancellation);
            await view.DisposeAsync();
            parse.InvocationConfiguration.Output.Write(parse.GetValue(json) ? ToJson(result, request.Folder).ToJsonString() + "\n"
                : string.Concat(result.Files.Select(one => $"{one.Sha256}  {Path.GetRelativePath(Environment.CurrentDirectory, Path.Combine(request.Folder, one.File))}\n")));
            return (int)ExitCode.Done;
        });
        return command;
    }

    public static Option<string> Target() => new("--target") { Description = "The size of the disk or partition that it is for: fail if it doesn't fit.", HelpName = "SIZE" };

    public static Option<string> SystemSize() => new("--system") { Description = "With --target: the size of the system's image that goes to the same disk.", HelpName = "SIZE" };

    public static long? SizeOf(string? text, string option) => text is null ? null : Size.TryParse(text, out var bytes) ? bytes
        : throw new CrustException(FailureKind.BadInput, $"'{text}' is no size", option, $"write {Size.Looks}");

    private static string BelowOf(string? path) => path is null ? "" : Path.IsPathRooted(path) || path.Split('/').Contains("..")
        ? throw new CrustException(FailureKind.BadInput, $"'{path}' is no folder below another one", "--below", "write a relative path, such as opt/spectrocloud/content")
        : path;

    private static JsonObject ToJson(ContentResult result, string folder) => new()
    {
        ["name"] = result.Manifest.Name,
        ["folder"] = folder,
        ["new"] = result.IsNew,
        ["size"] = result.Manifest.Size,
        ["unpacked"] = result.Manifest.Unpacked,
        ["sha256"] = result.Manifest.Sha256,
        ["images"] = new JsonArray([.. result.Manifest.Images.Select(image => new JsonObject
        {
            ["names"] = new JsonArray([.. image.Names.Select(name => (JsonNode)name)]),
            ["digest"] = image.Digest,
            ["archs"] = new JsonArray([.. image.Platforms.Select(platform => (JsonNode)platform.Arch)]),
        })]),
        ["files"] = new JsonArray([.. result.Files.Select(one => new JsonObject { ["file"] = one.File, ["size"] = one.Size, ["sha256"] = one.Sha256 })]),
    };
}
