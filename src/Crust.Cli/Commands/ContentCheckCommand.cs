using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json.Nodes;
using Crust.Cli.Progress;
using Crust.Content;
using Crust.Sanitizing;
using Crust.Spec;

namespace Crust.Cli.Commands;

/// <summary>`crust content check`: whether parts are whole, and fit.</summary>
internal static class ContentCheckCommand
{
    public static Command Create()
    {
        var folders = new Argument<string[]>("FOLDER") { Description = "Folders with parts and their manifests.", Arity = ArgumentArity.OneOrMore };
        var (target, system) = (ContentCommand.Target(), ContentCommand.SystemSize());
        var (json, quiet) = (CommonOptions.Json(), CommonOptions.Quiet());
        var command = new Command("check", "Says whether the parts of bundles are whole, and whether a target has room for them.") { folders, target, system, json, quiet };
        command.SetAction(async (parse, cancellation) =>
        {
            var environment = HostEnvironment.Read();
            var (room, image) = (ContentCommand.SizeOf(parse.GetValue(target), "--target"), ContentCommand.SizeOf(parse.GetValue(system), "--system") ?? 0);
            await using var view = ProgressView.Create(environment, parse.GetValue(quiet), MessageWriter.Of(parse));
            await using var services = new CrustServices(environment, ".", view, MessageWriter.Of(parse).Hidden);
            ImmutableArray<CheckedBundle> bundles = [.. parse.GetRequiredValue(folders).SelectMany(folder => services.ContentCheck.Check(Path.GetFullPath(folder), cancellation))];
            if (room is { } bytes)
            {
                TargetSize.Check(bytes, image, [.. bundles.Select(bundle => bundle.Manifest)], isUnpacked: true);
            }

            await view.DisposeAsync();
            parse.InvocationConfiguration.Output.Write(parse.GetValue(json) ? ToJson(bundles).ToJsonString() + "\n" : ToText(bundles));
            return (int)(bundles.Any(bundle => !bundle.Findings.IsEmpty) ? ExitCode.BadInput : ExitCode.Done);
        });
        return command;
    }

    private static string ToText(ImmutableArray<CheckedBundle> bundles) => string.Concat(bundles.Select(bundle => bundle.Findings.IsEmpty
        ? $"{CleanText.Line(bundle.Manifest.Name)} is whole: {PartNames.Count(bundle.Manifest.Parts.Length)}, {Size.Format(bundle.Manifest.Size)}\n"
        : string.Concat(bundle.Findings.Select(finding => $"error: {CleanText.Line(finding.File)}: {finding.What}\n  to do: {finding.Remedy}\n"))));

    private static JsonArray ToJson(ImmutableArray<CheckedBundle> bundles) => new([.. bundles.Select(bundle => new JsonObject
    {
        ["name"] = CleanText.Line(bundle.Manifest.Name),
        ["whole"] = bundle.Findings.IsEmpty,
        ["size"] = bundle.Manifest.Size,
        ["unpacked"] = bundle.Manifest.Unpacked,
        ["findings"] = new JsonArray([.. bundle.Findings.Select(finding => new JsonObject { ["file"] = CleanText.Line(finding.File), ["what"] = finding.What, ["remedy"] = finding.Remedy })]),
    })]);
}
