using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Crust.Cli.Progress;
using Crust.Spec;
using Crust.Storage;
using Crust.Sysexts;

namespace Crust.Cli.Commands;

/// <summary>`crust sysext build`: a system extension from a recipe, files, an image or packages.</summary>
internal static class SysextBuildCommand
{
    public static Command Create()
    {
        var input = new SysextInput();
        var os = new Option<string>("--os") { Description = "The ID of the systems that it is for, or _any.", HelpName = "ID" };
        var level = new Option<string>("--level") { Description = "Their SYSEXT_LEVEL.", HelpName = "LEVEL" };
        var version = new Option<string>("--os-version") { Description = "Their VERSION_ID.", HelpName = "VERSION" };
        var arch = new Option<Arch>("--arch") { Description = "The architecture of the programs in it.", HelpName = Words<Arch>() };
        var profile = Profile();
        var format = new Option<SysextFormat>("--format") { Description = "How it is packed.", HelpName = Words<SysextFormat>() };
        var (key, certificate) = (Key(), Certificate());
        var reload = new Option<bool>("--reload") { Description = "Have systemd read its units again after a merge (systemd 255 and later)." };
        var epoch = new Option<long?>("--epoch") { Description = "The time of all files in it, in seconds since 1970 (SOURCE_DATE_EPOCH, 0 otherwise).", HelpName = "SECONDS" };
        var (output, json, quiet) = (CommonOptions.Output(), CommonOptions.Json(), CommonOptions.Quiet());
        output.Description = "The folder for the extension.";
        var command = new Command("build", "Builds a system extension: the same bytes from the same input.") { os, level, version, arch, profile, format, key, certificate, reload, epoch, output, json, quiet };
        input.AddTo(command);
        var spec = new SpecOptions(key => key.Path.StartsWith("sign.", StringComparison.Ordinal));
        spec.AddOptionsTo(command);
        command.SetAction(async (parse, cancellation) =>
        {
            var environment = HostEnvironment.Take();
            await using var view = ProgressView.Create(environment, parse.GetValue(quiet), MessageWriter.Of(parse));
            await using var services = new CrustServices(environment, parse.GetRequiredValue(output), view, MessageWriter.Of(parse).Hidden);
            var (name, ofFile) = input.NameOf(parse);
            var plan = new SysextPlan
            {
                Name = name,
                Version = ofFile,
                Profile = parse.GetValue(profile),
                Level = parse.GetValue(level),
                OsVersion = parse.GetValue(version),
                Arch = parse.GetValue(arch),
                Reload = parse.GetValue(reload),
                Format = parse.GetValue(format),
                Signer = SignerOf(parse.GetValue(format), parse.GetValue(key), parse.GetValue(certificate)),
                Epoch = EpochOf(parse.GetValue(epoch), environment),
            }.For(parse.GetValue(os));
            var sign = spec.Read(parse, environment).Sign;
            await services.SysextAttestor.TryKeyAsync(sign, cancellation);
            using var scratch = new ScratchFolder(services.Folders.Cache);
            var content = await input.ReadAsync(parse, services, plan, scratch.Path, cancellation);
            var built = await services.SysextBuilder.BuildAsync(plan, content, sign, services.Folders.Images, cancellation);
            await view.DisposeAsync();
            foreach (var warning in built.Warnings)
            {
                MessageWriter.Of(parse).Warn(warning.ToLine());
            }

            parse.InvocationConfiguration.Output.WriteLine(parse.GetValue(json)
                ? new JsonObject { ["file"] = built.Path, ["bytes"] = built.Length, ["sha256"] = built.Sha256, ["documents"] = new JsonArray([.. built.Documents.Select(document => (JsonNode)document)]) }.ToJsonString()
                : $"{built.Sha256}  {built.Path}");
            return (int)ExitCode.Done;
        });
        return command;
    }

    public static Option<string> Key() => new("--key") { Description = "The private key (PEM, RSA) that signs a ddi.", HelpName = "FILE" };

    public static Option<string> Certificate() => new("--certificate") { Description = "The key's certificate (PEM), which machines have in /etc/verity.d.", HelpName = "FILE" };

    public static Option<SysextProfile> Profile() => new("--profile") { Description = "The kind of system that it is for.", HelpName = Words<SysextProfile>() };

    public static string Words<TEnum>()
        where TEnum : struct, Enum => string.Join('|', Enum.GetValues<TEnum>().Select(value => value.LowerName()));

    /// <summary>The key and the certificate that sign a disk image.</summary>
    /// <param name="format">The format; null where each extension has its own.</param>
    /// <exception cref="CrustException">One of them is missing, or the format has no signature.</exception>
    public static (string Key, string Certificate)? SignerOf(SysextFormat? format, string? key, string? certificate) => (key, certificate) switch
    {
        (null, null) => null,
        _ when format is not (SysextFormat.Ddi or null) => throw new CrustException(FailureKind.BadInput, $"A {format.Value.LowerName()} has no place for a signature", "--key", "use --format ddi"),
        ({ } file, { } of) => (file, of),
        _ => throw new CrustException(FailureKind.BadInput, "A signature takes a key and its certificate", key is null ? "--certificate" : "--key", "give both: --key FILE --certificate FILE"),
    };

    private static long EpochOf(long? given, HostEnvironment environment)
    {
        var text = environment.Variables.GetValueOrDefault("SOURCE_DATE_EPOCH");
        var epoch = given ?? (text is null or "" ? 0 : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed) ? parsed : -1);
        // squashfs has 32 bits for it.
        return epoch is >= 0 and <= uint.MaxValue ? epoch
            : throw new CrustException(FailureKind.BadInput, $"'{(given is null ? text : epoch)}' is no time in seconds since 1970", given is null ? "SOURCE_DATE_EPOCH" : "--epoch", $"write a number from 0 to {uint.MaxValue}");
    }
}
