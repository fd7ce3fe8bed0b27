using System.CommandLine;
using Crust.Cli.Progress;
using Crust.Formats;
using Crust.Planning;
using Crust.Publishing;
using Crust.Spec;

namespace Crust.Cli.Commands;

internal static class PlanCommand
{
    public static Command Create()
    {
        var specs = new Argument<string[]>("SPEC") { Description = "The specs' files.", Arity = ArgumentArity.OneOrMore };
        var since = new Option<string?>("--since") { Description = "The repository that is looked into, registry/path; without it, where each spec publishes.", HelpName = "REPOSITORY" };
        var command = new Command("plan", "Says which builds are due, since a registry lacks their images, as JSON for a CI's matrix.") { specs, since };
        command.SetAction(async (parse, cancellation) =>
        {
            var environment = HostEnvironment.Take();
            var read = Read(parse.GetRequiredValue(specs), environment);
            await using var services = new CrustServices(environment, "images", new Silence());
            var repository = parse.GetValue(since) is { } given ? RegistryReference.ParseRepository(given, "option --since") : null;
            var plan = await services.Planner.PlanAsync(read, repository, cancellation);
            foreach (var build in plan.Builds)
            {
                await parse.InvocationConfiguration.Error.WriteLineAsync($"{build.Spec}: {string.Join("; ", build.Reasons)}");
            }

            await parse.InvocationConfiguration.Error.WriteLineAsync($"crust: {plan.Builds.Length} of {plan.Specs} builds are due");
            await parse.InvocationConfiguration.Output.WriteAsync(plan.ToJson());
            return (int)ExitCode.Done;
        });
        return command;
    }

    // All that is wrong, not the first alone: a pull request may touch many.
    private static List<SpecToPlan> Read(IReadOnlyList<string> files, HostEnvironment environment)
    {
        var reader = new SpecReader(ImageFormats.Names);
        var read = new List<SpecToPlan>();
        var errors = new List<(string, CrustException)>();
        foreach (var file in files)
        {
            try
            {
                read.Add(new SpecToPlan(file, reader.Read(new SpecSources { File = file, CurrentFolder = Environment.CurrentDirectory, Environment = environment.Variables })));
            }
            catch (CrustException e)
            {
                errors.Add((file, e));
            }
        }

        return Planner.ErrorOf(errors) is { } error ? throw error : read;
    }
}
