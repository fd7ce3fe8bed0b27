using System.CommandLine;
using Crust.Cli.Progress;
using Crust.Embedding;
using Crust.Formats;
using Crust.Spec;

namespace Crust.Cli.Commands;

internal static class EmbedCommand
{
    public static Command Create()
    {
        var spec = new SpecOptions();
        var output = new Option<string>("--output", "-o") { Description = "The folder, which isn't there yet or is empty.", HelpName = "FOLDER", Required = true };
        var isoFolder = new Option<string>("--iso-folder") { Description = "Where the ISO or the base image will lie.", HelpName = "FOLDER", DefaultValueFactory = _ => "/iso" };
        var secrets = new Option<bool>("--secrets") { Description = "Embed secrets, too: anyone who gets the container has them." };
        var quiet = CommonOptions.Quiet();
        var command = new Command("embed", "Collects a spec with its ISO or base image and its files in a folder, to be built into a container (make docker-build).") { output, isoFolder, secrets, quiet };
        spec.AddTo(command);
        command.SetAction(async (parse, cancellation) =>
        {
            var environment = HostEnvironment.Take();
            var folder = Path.GetFullPath(parse.GetRequiredValue(output));
            await using var view = ProgressView.Create(environment, parse.GetValue(quiet), MessageWriter.Of(parse));
            await using var services = new CrustServices(environment, "images", view, MessageWriter.Of(parse).Hidden);
            var withSecrets = parse.GetValue(secrets);
            var embedded = await new Embedder(ImageFormats.ForSpec, services.Sources)
                .WriteAsync(spec.Sources(parse, environment), folder, parse.GetRequiredValue(isoFolder), withSecrets, cancellation);
            await view.DisposeAsync();

            var to = parse.InvocationConfiguration;
            if (!embedded.Secrets.IsEmpty)
            {
                var places = string.Join(", ", embedded.Secrets);
                MessageWriter.Of(to).Warn(withSecrets
                    ? $"secrets are embedded, and anyone who gets the container has them: {places}"
                    : $"secrets aren't embedded, give them when the container runs: {places}");
            }

            await to.Output.WriteLineAsync(Path.GetRelativePath(Environment.CurrentDirectory, folder));
            return (int)ExitCode.Done;
        });
        return command;
    }
}
