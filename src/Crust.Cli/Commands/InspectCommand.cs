using System.CommandLine;
using Crust.Cli.Progress;
using Crust.Cli.Views;
using Crust.Inspection;
using Crust.Spec;

namespace Crust.Cli.Commands;

internal static class InspectCommand
{
    public static Command Create()
    {
        var files = new Argument<string[]>("IMAGE|ISO") { Description = "Images of disks, and ISO files. They aren't changed.", Arity = ArgumentArity.OneOrMore };
        var json = CommonOptions.Json();
        var quiet = CommonOptions.Quiet();
        var command = new Command("inspect", "Says what is on images: partitions, file systems, systems, accounts, and what clones of them would share.") { files, json, quiet };
        command.SetAction(async (parse, cancellation) =>
        {
            var environment = HostEnvironment.Read();
            await using var view = ProgressView.Create(environment, parse.GetValue(quiet), MessageWriter.Of(parse));
            await using var services = new CrustServices(environment, "images", view, MessageWriter.Of(parse).Hidden);
            var inspected = new List<Inspected>();
            var failures = new List<CrustException>();
            // One file that is no image says nothing about the next.
            foreach (var file in parse.GetRequiredValue(files))
            {
                try
                {
                    inspected.Add(await services.Inspector.InspectAsync(file, cancellation));
                }
                catch (CrustException e)
                {
                    failures.Add(e);
                }
            }

            await view.DisposeAsync();
            var to = parse.InvocationConfiguration;
            foreach (var failure in failures)
            {
                MessageWriter.Of(to).Fail(failure);
            }

            if (parse.GetValue(json))
            {
                to.Output.Write(new InspectionDocument { Files = [.. inspected] }.ToJson());
            }
            else if (Console.IsOutputRedirected || !environment.HasCapableTerminal)
            {
                InspectView.WriteLines(inspected, to.Output);
            }
            else
            {
                InspectView.WriteGrids(inspected, to.Output, environment.WantsColor);
            }

            return failures.Count == 0 ? (int)ExitCode.Done : (int)failures[0].Kind;
        });
        return command;
    }
}
