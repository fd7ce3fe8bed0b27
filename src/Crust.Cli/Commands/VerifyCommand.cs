using System.CommandLine;
using System.Text.Json.Nodes;
using Crust.Cli.Progress;
using Crust.Host;
using Crust.Machines;
using Crust.Sanitizing;
using Crust.Spec;
using Crust.Storage;
using Crust.Verification;

namespace Crust.Cli.Commands;

internal static class VerifyCommand
{
    private const string Boot = "verify.boot";
    private const string NotUp = "not up";
    private const string User = "verify.ssh.user";
    private const string Key = "verify.ssh.key";

    public static Command Create()
    {
        var images = new Argument<string[]>("IMAGE") { Description = "Images to boot. They aren't changed.", Arity = ArgumentArity.OneOrMore };
        var signature = new Option<string?>("--signature")
        {
            Description = "Boot nothing; check that the images are those of a provenance that one of these keys has signed: an OpenSSH allowed-signers file, or GPG public keys.",
            HelpName = "KEYS",
        };
        var spec = new SpecOptions(key =>
            key.Path is "machine.arch" or "machine.firmware" or "machine.cpus" or "machine.memory" or "machine.diskBus" or "machine.network" or "machine.tpm" or "machine.accelerator"
            or "seed.ssh.passwordFile" || (key.Path.StartsWith("verify.", StringComparison.Ordinal) && key.Path != Boot),
            // No installer is told anything here: the account is the one that logs in, and the key is its own.
            key => key.Path is User or Key ? key.Option!.Replace("--verify-", "--", StringComparison.Ordinal) : null);
        var json = CommonOptions.Json();
        var quiet = CommonOptions.Quiet();
        var command = new Command("verify", "Boots images and says if they come up.") { images, signature, json, quiet };
        spec.AddOptionsTo(command);
        command.SetAction(async (parse, cancellation) =>
        {
            var environment = HostEnvironment.Take();
            if (parse.GetValue(signature) is { } keys)
            {
                return await CheckSignature.RunAsync(parse.GetRequiredValue(images), keys, environment, parse.GetValue(json), parse.InvocationConfiguration, cancellation);
            }

            var wanted = SpecOptions.Read(Sources(spec.Sources(parse, environment)), parse);
            var hidden = MessageWriter.Of(parse).Hidden;
            var login = SshLogin.Of(wanted, hidden);
            var requests = parse.GetRequiredValue(images).Select(image => (Path: image, Format: BootVerifier.FormatOf(image))).ToList();
            foreach (var log in requests.SelectMany(request => new[] { request.Path + LogFile.SerialLogExtension, request.Path + LogFile.ScreenExtension }))
            {
                OutputCheck.CheckPlace(Path.GetFullPath(log), () => OutputFile.IsSigned(log) is not false);
            }

            await using var view = ProgressView.Create(environment, parse.GetValue(quiet), MessageWriter.Of(parse));
            await using var services = new CrustServices(environment, "images", view, hidden);
            // Before anything is booted, and before the host is asked what it can boot.
            foreach (var (path, format) in requests)
            {
                await services.Verifier.CheckAsync(path, format, cancellation);
            }

            var accelerator = await services.Probe.ChooseAsync(wanted.Machine.Accelerator, wanted.Machine.Arch, cancellation);
            if (accelerator.FullWarning is { } warning)
            {
                view.Observe(new BuildEvent.Warned(warning));
            }

            ControllerNote.Write(requests.Select(request => (request.Path, request.Format, wanted.Machine.DiskBus)), view);
            var checks = new List<Check>();
            foreach (var (path, format) in requests)
            {
                view.Observe(new BuildEvent.Started(Stage.Verify, $"{path}: {wanted.Verify.Describe()}"));
                var check = await CheckAsync(services, path, files => new BootRequest(path, format, wanted.Machine, accelerator.Used, wanted.Verify, files, login), cancellation);
                view.Observe(new BuildEvent.Finished(Stage.Verify, TimeSpan.FromSeconds(check.Proof?.Seconds ?? 0), check.Word is NotUp ? $"{path} isn't up" : $"{path} is {check.Word}"));
                checks.Add(check);
            }

            await view.DisposeAsync();
            foreach (var failure in checks.Select(check => check.Failure).OfType<CrustException>())
            {
                MessageWriter.Of(parse).Fail(failure);
            }

            parse.InvocationConfiguration.Output.Write(parse.GetValue(json)
                ? new JsonArray([.. checks.Select(check => check.ToJson())]).ToJsonString() + "\n"
                : string.Concat(checks.Select(check => CleanText.Line($"{check.Image}: {check.Word}", int.MaxValue) + "\n")));
            return checks.Select(check => check.Failure).OfType<CrustException>().Select(failure => (int)failure.Kind).FirstOrDefault((int)ExitCode.Done);
        });
        return command;
    }

    // The images are booted whatever the spec says of those that it builds. With a password, it is the seed's account that logs in; a key needs no seed, and what is made from a base has none.
    private static SpecSources Sources(SpecSources given)
    {
        var options = new Dictionary<string, IReadOnlyList<string>>(given.Options) { [Boot] = ["true"] };
        if (given.Options.TryGetValue(User, out var user) && !given.Options.ContainsKey(Key))
        {
            options["seed.ssh.user"] = user;
        }

        return given with { Options = options };
    }

    // One image that doesn't come up says nothing about the next.
    private static async Task<Check> CheckAsync(CrustServices services, string image, Func<RunFiles, BootRequest> requestWith, CancellationToken cancellation)
    {
        using var folder = new ScratchFolder(services.Folders.Cache);
        var files = RunFiles.Draft(folder.Path, Path.GetFullPath(image));
        try
        {
            return new Check(image, (await services.Verifier.VerifyAsync(requestWith(files), folder.Path, cancellation)).Proof, null);
        }
        catch (CrustException e) when (e.Kind is FailureKind.GuestFailed)
        {
            files.KeepAll();
            return new Check(image, null, e);
        }
    }

    private sealed record Check(string Image, BootProof? Proof, CrustException? Failure)
    {
        public string Word => !IsUp ? NotUp : Failure is null ? "up" : "up, but a check failed";

        private bool IsUp => Failure is null or CheckFailedException;

        public JsonObject ToJson() => new()
        {
            ["file"] = CleanText.Block(Image),
            ["up"] = IsUp,
            ["firmware"] = Proof?.Firmware.LowerName(),
            ["expected"] = Proof is null ? null : CleanText.Line(Proof.Expected),
            ["seconds"] = Proof is null ? null : Math.Round(Proof.Seconds, 1),
            ["ssh"] = Proof?.Login is { } login ? Login(login) : null,
            ["error"] = Failure is null ? null : CleanText.Line(Failure.What),
        };

        private static JsonObject Login(LoginProof login) => new()
        {
            ["server"] = CleanText.Line(login.Server),
            ["user"] = login.User,
            ["key"] = login.Key,
            ["hostKey"] = new JsonObject { ["type"] = CleanText.Line(login.HostKey.Type), ["fingerprint"] = login.HostKey.Fingerprint },
            ["checks"] = new JsonArray([.. login.Checks.Select(check => new JsonObject
            {
                ["command"] = CleanText.Line(check.Command),
                ["seconds"] = Math.Round(check.Seconds, 1),
                ["output"] = CleanText.Block(string.Join('\n', check.Output)),
            })]),
        };
    }
}
