using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json.Nodes;
using Crust.Canvos;
using Crust.Cli.Progress;
using Crust.Providers;
using Crust.Sanitizing;
using Crust.Spec;

namespace Crust.Cli.Commands;

/// <summary>`crust provider`: images that machines upgrade to, one for each Kubernetes version.</summary>
internal static class ProviderCommand
{
    private static readonly string[] Keys =
    [
        "publish.repository", "publish.overwrite", "publish.authFile", "publish.certDir", "publish.tls", "publish.retries", "publish.stall",
        "machine.cpus", "machine.memory", "machine.network", "machine.networkAllow", "machine.accelerator", "machine.deadline",
    ];

    public static Command Create()
    {
        var file = new Argument<string?>("SPEC")
        {
            Description = $"The file that says what the images are made of; without it, {ProviderSpec.DefaultName}.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var argFile = new Option<string?>("--arg-file") { Description = "In place of SPEC: the .arg file of a folder laid out as CanvOS'.", HelpName = "FILE" };
        var dryRun = new Option<bool>("--dry-run") { Description = "Say where the images would go, and check all that can be checked without a network; build nothing." };
        var options = new SpecOptions(key => Keys.Contains(key.Path));
        var (json, quiet) = (CommonOptions.Json(), CommonOptions.Quiet());
        var command = new Command("provider", "Builds provider images, one per Kubernetes version, and pushes them: an index over architectures each.")
        {
            file, argFile, dryRun, json, quiet,
        };
        options.AddOptionsTo(command);
        command.SetAction(async (parse, cancellation) =>
        {
            var environment = HostEnvironment.Take();
            var given = options.Read(parse, environment);
            var (spec, proxies) = Read(parse, parse.GetValue(file), parse.GetValue(argFile));
            spec = spec with { Publish = given.Publish with { Repository = given.Publish.Repository ?? spec.Publish.Repository }, Machine = given.Machine };
            environment = environment.WithDefaults(proxies);
            if (parse.GetValue(dryRun))
            {
                LayerTrees.Check(spec);
                parse.InvocationConfiguration.Output.Write(Preview(spec, parse.GetValue(json)));
                return (int)ExitCode.Done;
            }

            await using var view = ProgressView.Create(environment, parse.GetValue(quiet), MessageWriter.Of(parse));
            await using var services = new CrustServices(environment, ".", view, MessageWriter.Of(parse).Hidden);
            var result = await services.Providers.PublishAsync(spec, cancellation);
            await view.DisposeAsync();
            parse.InvocationConfiguration.Output.Write(parse.GetValue(json) ? ToJson(result).ToJsonString() + "\n" : ToText(result));
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static (ProviderSpec Spec, ImmutableSortedDictionary<string, string> Proxies) Read(ParseResult parse, string? file, string? argFile)
    {
        if (file is not null && argFile is not null)
        {
            throw new CrustException(FailureKind.BadInput, "Two files say what the images are made of", $"{file}, --arg-file {argFile}", "name one of them");
        }

        if (argFile is null)
        {
            return (ProviderReader.Read(file ?? ProviderSpec.DefaultName), ImmutableSortedDictionary<string, string>.Empty);
        }

        var folder = CanvosFolder.Read(argFile);
        foreach (var finding in folder.Findings)
        {
            MessageWriter.Of(parse).Warn(finding.ToString());
        }

        return (CanvosProvider.Of(folder), folder.Proxies);
    }

    private static string Preview(ProviderSpec spec, bool asJson)
    {
        var targets = ProviderTarget.Of(spec);
        return asJson
            ? new JsonObject
            {
                ["base"] = spec.Base,
                ["images"] = new JsonArray([.. targets.Select(target => new JsonObject
                {
                    ["kubernetes"] = target.Version.Version,
                    ["reference"] = target.Index.ToString(),
                })]),
            }.ToJsonString() + "\n"
            : string.Concat(targets.Select(target => $"{target.Index}\n"));
    }

    // The references first, the block to paste behind them.
    private static string ToText(ProviderResult result) =>
        string.Concat(result.Images.Select(image =>
            $"{image.Reference}@{image.Digest}{(image.Archs.Any(arch => arch.Pushed) ? "" : " (was there already)")}\n")) + "\n" + result.Values.ToYaml();

    private static JsonObject ToJson(ProviderResult result) => new()
    {
        ["base"] = CleanText.Line(result.Base),
        ["images"] = new JsonArray([.. result.Images.Select(image => new JsonObject
        {
            ["kubernetes"] = image.Version.Version,
            ["reference"] = image.Reference.ToString(),
            ["digest"] = image.Digest,
            ["archs"] = new JsonArray([.. image.Archs.Select(arch => new JsonObject
            {
                ["arch"] = arch.Arch.LowerName(),
                ["reference"] = arch.Reference.ToString(),
                ["digest"] = arch.Digest,
                ["pushed"] = arch.Pushed,
                ["layers"] = new JsonArray([.. arch.Layers.Select(layer => new JsonObject { ["what"] = layer.Shown, ["digest"] = layer.Digest, ["size"] = layer.Size })]),
            })]),
        })]),
        ["options"] = new JsonObject(result.Values.Options.Select(option => KeyValuePair.Create(option.Key, (JsonNode?)option.Value))),
        ["packValues"] = result.Values.ToYaml(),
    };
}
