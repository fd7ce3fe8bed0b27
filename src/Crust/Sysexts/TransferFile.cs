namespace Crust.Sysexts;

/// <summary>
/// Transfer definitions for systemd-sysupdate: where it looks for newer versions of an extension, and where it puts them (sysupdate.d(5)). Up to systemd 256 they are read from
/// `.conf` files, from 257 on from `.transfer` files, so an index has both.
/// </summary>
internal static class TransferFile
{
    /// <summary>The names' ends, of which each systemd reads one.</summary>
    public static readonly string[] Extensions = [".transfer", ".conf"];

    /// <summary>How many versions of an extension a machine keeps: the one in use, and those before it.</summary>
    public const int Versions = 3;

    /// <summary>
    /// A definition that updates nothing. Without one in `/etc/sysupdate.d`, systemd-sysupdate fails when it is started without a component, as its own unit does.
    /// </summary>
    public const string Noop = """
        [Source]
        Type=regular-file
        Path=/
        MatchPattern=invalid@v.raw

        [Target]
        Type=regular-file
        Path=/
        MatchPattern=invalid@v.raw

        """;

    /// <param name="file">Any version of the extension.</param>
    /// <param name="url">Where the index is served; ends with a slash.</param>
    /// <param name="isSigned">Whether the list of checksums is signed: then a list that isn't is refused.</param>
    /// <param name="minor">The minor version to stay on; null for every version.</param>
    public static string Of(SysextFile file, Uri url, bool isSigned, string? minor = null)
    {
        // A version's name is all that differs: the files of a minor version replace each other, and the link to the current one is always the same.
        var pattern = $"{file.Name}-{(minor is null ? "" : minor + ".")}@v-%a{file.Suffix}";
        return $"""
            [Transfer]
            Verify={(isSigned ? "yes" : "no")}

            [Source]
            Type=url-file
            Path={url.AbsoluteUri}
            MatchPattern={pattern}

            [Target]
            Type=regular-file
            Path={FolderOf(file.Name)}
            MatchPattern={pattern}
            CurrentSymlink={LinkOf(file.Name, file.Suffix)}
            Mode=0644
            InstancesMax={Versions}

            """;
    }

    /// <summary>Where an extension's versions lie.</summary>
    public static string FolderOf(string name) => $"/opt/extensions/{name}";

    /// <summary>The link to the version in use, through which systemd-sysext finds the extension.</summary>
    public static string LinkOf(string name, string suffix) => $"/etc/extensions/{name}{suffix}";
}
