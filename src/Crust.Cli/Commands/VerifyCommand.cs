using System.CommandLine;
using System.Text.Json.Nodes;
using Crust.Cache;
using Crust.Cli.Progress;
using Crust.Reports;
using Crust.Spec;
using Crust.Verification;

namespace Crust.Cli.Commands;

internal static class VerifyCommand
{
    public static Command Create()
    {
        var images = new Argument<string[]>("IMAGE") { Description = "Images to boot. They aren't changed.", Arity = ArgumentArity.OneOrMore };
        var spec = new SpecOptions(key => key.Path is "machine.arch" or "machine.firmware" or "machine.cpus" or "machine.memory" or "machine.accelerator"
            || (key.Path.StartsWith("verify.", StringComparison.Ordinal) && key.Path != "verify.boot"));
        var json = CommonOptions.Json();
        var quiet = CommonOptions.Quiet();
        var command = new Command("verify", "Boots images and says if they come up.") { images, json, quiet };
        spec.AddOptionsTo(command);
        command.SetAction(async (parse, cancellation) =>
        {
            var environment = HostEnvironment.Read();
            var wanted = spec.Read(parse, environment).Spec;
            var requests = parse.GetRequiredValue(images).Select(image => (Path: image, Driver: BootVerifier.DriverFor(image))).ToList();
            await using var view = ProgressView.Create(environment, parse.GetValue(quiet));
            await using var services = new CrustServices(environment, "images", view);
            var accelerator = await services.Probe.ChooseAsync(wanted.Machine.Accelerator, wanted.Machine.Arch, cancellation);
            if (accelerator.Warning is { } warning)
            {
                view.Observe(new BuildEvent.Warned(warning));
            }

            var proofs = new JsonArray();
            foreach (var (path, driver) in requests)
            {
                using var folder = new ScratchFolder(services.Folders.Cache);
                view.Observe(new BuildEvent.Started(Stage.Verify, $"{path}: {wanted.Verify.Describe()}"));
                var proof = await services.Verifier.VerifyAsync(
                    new BootRequest(path, driver, wanted.Machine, accelerator.Used, wanted.Verify, LogFile.Draft(folder.Path, Path.GetFullPath(path) + ".serial.log")), folder.Path, cancellation);
                view.Observe(new BuildEvent.Finished(Stage.Verify, TimeSpan.FromSeconds(proof.Seconds), $"{path} is up"));
                proofs.Add(new JsonObject
                {
                    ["file"] = path,
                    ["firmware"] = proof.Firmware.ToString().ToLowerInvariant(),
                    ["expected"] = proof.Expected,
                    ["seconds"] = Math.Round(proof.Seconds, 1),
                });
            }

            await view.DisposeAsync();
            parse.InvocationConfiguration.Output.Write(parse.GetValue(json) ? proofs.ToJsonString() + "\n" : string.Concat(requests.Select(request => $"{request.Path}: up\n")));
            return (int)ExitCode.Done;
        });
        return command;
    }
}
