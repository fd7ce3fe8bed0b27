using System.CommandLine;
using Crust.Cli.Progress;
using Crust.Fleet;
using Crust.Formats;
using Crust.Planning;
using Crust.Sanitizing;
using Crust.Spec;

namespace Crust.Cli.Commands;

internal static class PlanCommand
{
    public static Command Create()
    {
        var specs = new Argument<string[]>("SPEC") { Description = "The specs' files.", Arity = ArgumentArity.ZeroOrMore };
        var since = new Option<string?>("--since") { Description = "The repository that is looked into, registry/path; without it, where each spec publishes.", HelpName = "REPOSITORY" };
        var shard = new Option<string?>("--shard")
        {
            Description = "Look at a part of the specs alone, such as 3/10 for the third of ten: several machines share the work, and need not talk to one another.",
            HelpName = "NUMBER/COUNT",
        };
        var limit = new Option<int?>("--limit") { Description = "Tell so many builds at most, the first ones: a CI takes only so many jobs at once.", HelpName = "NUMBER" };
        var fleet = new Option<string?>("--fleet") { Description = "In place of specs: divide the nodes of this file into parts, each for a job that runs crust fleet --shard.", HelpName = "NODES" };
        var nodes = new Option<int>("--nodes")
        {
            Description = "So many nodes of a fleet for a part at most; with --limit parts may have more.",
            HelpName = "NUMBER",
            DefaultValueFactory = _ => FleetPlan.DefaultSize,
        };
        var lines = new Option<bool>("--lines") { Description = "Write a line for each build in place of JSON: formats, architecture, name and spec, with tabs between them." };
        var command = new Command("plan", "Says which builds are due, since a registry lacks their images, as JSON for a CI's matrix.") { specs, since, shard, limit, fleet, nodes, lines };
        command.SetAction(async (parse, cancellation) =>
        {
            var environment = HostEnvironment.Take();
            IReadOnlyList<string> files = parse.GetValue(specs) ?? [];
            if (parse.GetValue(limit) is < 1)
            {
                throw new CrustException(FailureKind.BadInput, "--limit must be at least 1", "option --limit", "give 1 or more");
            }

            if (parse.GetValue(fleet) is { } list)
            {
                var parts = Divide(list, files, parse.GetValue(shard), parse.GetValue(since), parse.GetValue(nodes), parse.GetValue(limit));
                await parse.InvocationConfiguration.Output.WriteAsync(parse.GetValue(lines) ? parts.ToLines() : parts.ToJson());
                return (int)ExitCode.Done;
            }

            if (files.Count == 0)
            {
                throw new CrustException(FailureKind.BadInput, "There is nothing to plan", "crust plan", "name specs, or the nodes of a fleet: --fleet nodes.yaml");
            }

            if (parse.GetValue(shard) is { } part)
            {
                files = Shard.Parse(part, "option --shard").Of(files);
            }

            var read = Read(files, environment);
            await using var services = new CrustServices(environment, "images", new Silence(), MessageWriter.Of(parse).Hidden);
            var repository = parse.GetValue(since) is { } given ? RegistryReference.ParseRepository(given, "option --since") : null;
            var plan = await services.Planner.PlanAsync(read, repository, cancellation);
            var shown = plan.First(parse.GetValue(limit));
            foreach (var build in shown.Builds)
            {
                MessageWriter.Of(parse).Inform(CleanText.Line($"{build.Spec}: {string.Join("; ", build.Reasons)}", int.MaxValue));
            }

            var limited = shown.Builds.Length < plan.Builds.Length ? $"; the first {shown.Builds.Length} are listed" : "";
            MessageWriter.Of(parse).Inform($"crust: {plan.Builds.Length} of {plan.Specs} builds are due{limited}");
            if (plan.Blind > 0)
            {
                MessageWriter.Of(parse).Inform($"crust: a change of secrets alone can't be seen in {plan.Blind} of them; with publish.keySecret (BUILD_KEY_SECRET) it can");
            }

            await parse.InvocationConfiguration.Output.WriteAsync(parse.GetValue(lines) ? shown.ToLines() : shown.ToJson());
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static FleetPlan Divide(string list, IReadOnlyList<string> specs, string? shard, string? since, int size, int? limit)
    {
        if (specs.Count > 0 || shard is not null || since is not null)
        {
            throw new CrustException(FailureKind.BadInput, "A fleet is planned without specs, --shard and --since", "option --fleet", "leave them out: each part of the plan has a shard of its own");
        }

        return size < 1 ? throw new CrustException(FailureKind.BadInput, "--nodes must be at least 1", "option --nodes", "give 1 or more") : FleetPlan.Of(NodesReader.Read(list), size, limit);
    }

    // All that is wrong, not the first alone: a pull request may touch many. A fleet has thousands, so all processors read.
    private static SpecToPlan[] Read(IReadOnlyList<string> files, HostEnvironment environment)
    {
        var reader = new SpecReader(ImageFormats.ForSpec);
        var read = new SpecToPlan[files.Count];
        var errors = new CrustException?[files.Count];
        Parallel.For(0, files.Count, i =>
        {
            try
            {
                read[i] = new SpecToPlan(files[i], reader.Read(new SpecSources { File = files[i], CurrentFolder = Environment.CurrentDirectory, Environment = environment.Variables }));
            }
            catch (CrustException e)
            {
                errors[i] = e;
            }
        });
        return Planner.ErrorOf(files.Zip(errors).Where(pair => pair.Second is not null).Select(pair => (pair.First, pair.Second!))) is { } error ? throw error : read;
    }
}
