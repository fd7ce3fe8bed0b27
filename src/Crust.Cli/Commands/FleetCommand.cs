using System.Collections.Immutable;
using System.CommandLine;
using Crust.Cli.Progress;
using Crust.Fleet;
using Crust.Planning;
using Crust.Sanitizing;
using Crust.Spec;

namespace Crust.Cli.Commands;

/// <summary>`crust fleet`: what each node of a fleet has for itself.</summary>
internal static class FleetCommand
{
    public static Command Create()
    {
        var nodes = new Argument<string>("NODES") { Description = "The file with the fleet's nodes, such as nodes.yaml." };
        var from = new Option<string?>("--from") { Description = $"The image that nodes' images are made of, with a seed partition (base.seedPartition): {FleetBase.Formats}.", HelpName = "IMAGE" };
        var forms = new Option<string[]>("--as")
        {
            Description = "What each node gets, once or several times: its seed as an ISO (seed) or a FAT volume (vfat), a small image over that one (overlay), or a whole image (image); "
                + "without it, overlay where --from is given, and seed where it isn't.",
            HelpName = "seed|vfat|overlay|image",
        };
        var userData = new Option<string?>("--user-data") { Description = "The cloud-config of all nodes; ${NODE_NAME}, ${NODE_ROLE}, ${NODE_IP}, ${NODE_MAC}, ${NODE_SERIAL} and secrets stand for each node's.", HelpName = "FILE" };
        var network = new Option<string?>("--network-config") { Description = "cloud-init's network configuration, with the same; without it, one is made for nodes with an address.", HelpName = "FILE" };
        var secrets = new Option<string[]>("--secret")
        {
            Description = "A secret of each node, for ${NAME}: NAME=file:PATH, NAME=env:VARIABLE or NAME=command:PROGRAM ARGUMENT…; {node} in it stands for the node's name.",
            HelpName = "NAME=PLACE:VALUE",
        };
        var shard = new Option<string?>("--shard") { Description = "Make a part of the nodes' files alone, such as 3/10 for the third of ten: several machines share the work, and need not talk to one another.", HelpName = "NUMBER/COUNT" };
        var jobs = new Option<int?>("--jobs") { Description = "How many nodes are worked on at a time; as many as there are processors if it isn't there.", HelpName = "NUMBER" };
        var inspect = new Option<bool>("--inspect")
        {
            Description = "Look at the base first, in a machine, and refuse one of which all nodes would have the same machine-id.",
            DefaultValueFactory = _ => true,
        };
        var (output, json, quiet) = (CommonOptions.Output(), CommonOptions.Json(), CommonOptions.Quiet());
        var command = new Command("fleet", "Makes what each node of a fleet has for itself: seeds, or images of one image that differ in their seed alone.")
        {
            nodes, from, forms, userData, network, secrets, shard, jobs, inspect, output, json, quiet,
        };
        command.SetAction(async (parse, cancellation) =>
        {
            var environment = HostEnvironment.Take();
            var wanted = FormsOf(parse.GetValue(forms), parse.GetValue(from));
            if (parse.GetValue(jobs) is < 1)
            {
                throw new CrustException(FailureKind.BadInput, "--jobs must be at least 1", "option --jobs", "give 1 or more");
            }

            var list = NodesReader.Read(parse.GetRequiredValue(nodes));
            foreach (var warning in list.Warnings)
            {
                MessageWriter.Of(parse).Warn(CleanText.Line($"{warning.What} ({warning.Where}): {warning.Remedy}"));
            }

            var part = parse.GetValue(shard) is { } text ? Shard.Parse(text, "option --shard") : null;
            if (part is not null)
            {
                var names = part.Of(list.Nodes.Select(node => node.Name)).ToHashSet();
                list = list with { Nodes = [.. list.Nodes.Where(node => names.Contains(node.Name))] };
            }

            var request = new FleetRequest
            {
                Nodes = list,
                Template = SeedTemplate.Read(parse.GetValue(userData), parse.GetValue(network)),
                Secrets = NodeSecret.ParseAll(parse.GetValue(secrets) ?? []),
                Forms = wanted,
                Image = parse.GetValue(from),
                InspectsBase = parse.GetValue(inspect),
                Folder = Path.GetFullPath(parse.GetRequiredValue(output)),
                Part = part is null ? "" : $".{part.Number}-of-{part.Count}",
                Jobs = parse.GetValue(jobs) ?? Environment.ProcessorCount,
                Variables = environment.Variables,
            };
            await using var view = ProgressView.Create(environment, parse.GetValue(quiet), MessageWriter.Of(parse));
            await using var services = new CrustServices(environment, request.Folder, view, MessageWriter.Of(parse).Hidden);
            var result = await services.Fleet.RunAsync(request, cancellation);
            await view.DisposeAsync();
            await parse.InvocationConfiguration.Output.WriteAsync(parse.GetValue(json) ? FleetDocuments.ToJson(result).ToJsonString() + "\n"
                : string.Concat(result.Entries.SelectMany(entry => entry.Files).Select(file => Path.Combine(request.Folder, file.Name) + "\n")));
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static ImmutableArray<FleetForm> FormsOf(string[]? words, string? image)
    {
        ImmutableArray<FleetForm> forms = words is { Length: > 0 }
            ? [.. words.Select(FleetForms.Parse).Distinct()]
            : [image is null ? FleetForm.Seed : FleetForm.Overlay];
        return image is null && forms.FirstOrDefault(form => form.NeedsBase(), FleetForm.Seed) is var needy && needy.NeedsBase()
            ? throw new CrustException(FailureKind.BadInput, "There is no image that nodes' images could be made of", $"option --as {needy.LowerName()}",
                "name it: --from IMAGE")
            : forms;
    }
}
