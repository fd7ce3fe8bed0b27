using Crust.Spec;

namespace Crust.Reports.Page;

/// <summary>What the build was made of, with checksums, and what was asked for.</summary>
internal static class InputsSection
{
    public static Markup Render(Template html, BuildStory story) => html.Of($"""
        <section id="inputs" aria-labelledby="inputs-title">
        <h2 id="inputs-title">Inputs</h2>
        <div>
        <ul class="files">
        <li>
        <p><strong>{Path.GetFileName(story.Origin.Path)}</strong> <span class="meta">the {(story.Origin.IsBase ? "base image" : "installer")}, {Words.ExactSize(story.Origin.Size)}, {story.Origin.Form}</span></p>
        {OutputsSection.Checksum(html, "SHA-256", story.Origin.Sha256)}
        <p class="quiet">from {story.Origin.Source}</p>
        </li>
        {story.SeedFiles.Select(file => html.Of($"""
        <li>
        <p><strong>{Path.GetFileName(file.Path)}</strong> <span class="meta">{file.Role}, {Words.ExactSize(file.Size)}</span></p>
        {(file.PublicSha256 is { } sum ? OutputsSection.Checksum(html, "SHA-256", sum) : html.Of($"<p class=\"quiet\">without a checksum: it holds secrets</p>"))}
        <p class="quiet">from {file.Path}</p>
        </li>

        """))}
        {(story.Install?.Layers ?? []).Select((layer, i) => html.Of($"""
        <li>
        <p><strong>{layer.Source}</strong> <span class="meta">layer {i + 1}, {layer.Kind}</span></p>
        {OutputsSection.Checksum(html, "SHA-256", layer.Sha256)}
        </li>

        """))}
        </ul>
        <dl class="facts">
        {Facts(story).Select(fact => html.Of($"<dt>{fact.Name}</dt><dd>{fact.Value}</dd>\n"))}
        </dl>
        </div>
        </section>
        """);

    private static IEnumerable<(string Name, string Value)> Facts(BuildStory story)
    {
        var spec = story.Spec;
        yield return ("Formats", Words.List(spec.Formats));
        if (story.Origin.IsBase)
        {
            yield return ("Disk", $"the base image grown to {Size.ToSpecText(spec.Machine.Disk)}");
            yield return ("Machine", $"{Machine(spec.Machine)}, to boot the images");
            yield break;
        }

        yield return ("Seed", Words.Sentence(Seed(spec.Seed)));
        yield return ("Secrets", story.SecretsCarried.IsEmpty ? "The seed held none" : $"Whoever has an image has these secrets of its seed: {Words.List(story.SecretsCarried)}");
        yield return ("Machine", Machine(spec.Machine));
        yield return ("Limits",
            $"deadline {Duration.Format(spec.Machine.Deadline)}, stall after {Duration.Format(spec.Machine.Stall)}; a reboot of the installer means: {spec.Machine.OnReboot.LowerName()}");
        if (!spec.Installer.BootKeys.IsEmpty)
        {
            // What is typed may be a password.
            yield return ("Boot keys", $"{Words.Count(spec.Installer.BootKeys.Length, "text")} typed{(spec.Installer.BootKeysAfter is { } after ? $" after ‘{after}’" : "")}");
        }
    }

    private static string Machine(MachineSpec machine)
    {
        string?[] parts =
        [
            machine.Arch.LowerName(),
            Words.Firmware(machine.Firmware.LowerName()),
            machine.Tpm ? "TPM 2.0" : null,
            Words.Count(machine.Cpus, "CPU"),
            $"{Size.ToSpecText(machine.Memory)} of memory",
            $"a disk of {Size.ToSpecText(machine.Disk)} ({machine.DiskBus.LowerName()})",
            machine.ExtraDisks.IsEmpty ? null : $"more disks of {Words.List([.. machine.ExtraDisks.Select(Size.ToSpecText)])}",
            machine.Network is MachineNetwork.Internet ? null : $"network: {machine.Network.LowerName()}",
        ];
        return string.Join(", ", parts.OfType<string>());
    }

    // What it tells, without what is secret in it.
    private static string Seed(SeedSpec seed)
    {
        var says = new List<string>();
        if (seed.Ssh.User is { } user)
        {
            string?[] ways = [seed.Ssh.Password is null && seed.Ssh.PasswordHash is null ? null : "a password",
                seed.Ssh.AuthorizedKeys.IsEmpty ? null : Words.Count(seed.Ssh.AuthorizedKeys.Length, "public key")];
            says.Add($"the account {user} with {Words.List([.. ways.OfType<string>().DefaultIfEmpty("no way to log in")])}");
        }

        if (seed.Palette.Endpoint is { } endpoint)
        {
            says.Add($"Palette at {endpoint}{(seed.Palette.EdgeHostToken is null ? "" : " with an edge host token")}");
        }

        if (seed.Palette.RegistrationUrl is { } registration)
        {
            says.Add($"registration at {registration}");
        }

        if (!seed.UserData.IsEmpty)
        {
            says.Add("the user-data above, merged over what Crust generates");
        }

        return says.Count == 0 ? "what Crust generates; no account, no registration" : Words.List(says);
    }
}
