using System.Collections.Immutable;
using Crust.Seeds.Documents;
using Crust.Spec;

namespace Crust.Seeds.Kinds;

/// <summary>
/// Anaconda's installer, which takes `ks.cfg` from a volume labelled `OEMDRV` by itself (RHEL's "Automatically installing RHEL", "Making Kickstart files
/// available"). What the spec says is added where the user's file doesn't say it.
/// </summary>
internal sealed class KickstartSeed : ISeedKind
{
    private const string Label = "OEMDRV";

    /// <summary>The commands that say how the install ends.</summary>
    public static readonly ImmutableArray<string> Endings = ["poweroff", "shutdown", "halt", "reboot"];

    /// <inheritdoc/>
    public SeedKind Kind => SeedKind.Kickstart;

    /// <inheritdoc/>
    public ConfigMap? Read(string text, string path)
    {
        KickstartFile.Read(text, path);
        return null;
    }

    /// <inheritdoc/>
    public SeedContents Compose(SeedRequest request)
    {
        var user = request.Files.UserData[0];
        var file = KickstartFile.Read(user.Text, user.Path);
        var account = SpecAccount.Of(request);
        return new SeedContents
        {
            Carrier = SeedCarrier.Volume,
            Label = Label,
            Documents = [new SeedDocument("ks.cfg", file.With([.. Missing(file, request.Spec.Seed.Hostname, account)])) { Secrets = [.. account?.Secrets ?? [], .. user.Secrets] }],
        };
    }

    private static IEnumerable<string> Missing(KickstartFile file, string? hostname, SpecAccount? account)
    {
        bool Has(Func<KickstartCommand, bool> command) => file.Commands.Any(command);

        if (hostname is not null && !Has(command => command.Name == "network" && command.Option("--hostname") is not null))
            yield return $"network --hostname={hostname}";
        if (account is not null)
        {
            if (account.Name == "root" && !Has(command => command.Name == "rootpw"))
                yield return account.Hash is null ? "rootpw --lock" : $"rootpw --iscrypted {KickstartFile.Quote(account.Hash)}";
            if (account.Name != "root" && !Has(command => command.Name == "user" && command.Option("--name") == account.Name))
                yield return $"user --name={account.Name} --groups=wheel {(account.Hash is null ? "--lock" : $"--iscrypted --password={KickstartFile.Quote(account.Hash)}")}";
            if (!Has(command => command.Name == "sshkey" && command.Option("--username") == account.Name))
            {
                foreach (var key in account.Keys)
                    yield return $"sshkey --username={account.Name} {KickstartFile.Quote(key)}";
            }
        }

        if (!Has(command => Endings.Contains(command.Name)))
            yield return "poweroff";
    }
}
