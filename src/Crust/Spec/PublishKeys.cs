namespace Crust.Spec;

internal static class PublishKeys
{
    private const int MostRetries = 100;

    private static readonly ValueType<string?> Folder = ValueTypes.FilePath with { Placeholder = "FOLDER" };
    private static readonly ValueType<string?> Reference = ValueTypes.Text with { Placeholder = "REGISTRY/PATH[:TAG]" };

    /// <summary>All of them, in the order of the reference page.</summary>
    public static IEnumerable<SpecKey> For(IEnumerable<SpecFormat> formats) =>
    [
        SpecKey.Of("publish.repository", ValueTypes.Text with { Placeholder = "REGISTRY/PATH" }, s => s.Publish.Repository, (s, v) => With(s, p => p with { Repository = v }),
            "The repository that images are published in, with its registry's name and without a tag.", "--repo", "REPO"),
        SpecKey.Of("publish.tag", ValueTypes.Text with { Placeholder = "TAG" }, s => s.Publish.Tag, (s, v) => With(s, p => p with { Tag = v }),
            "What the images' tags begin with; without it, their name and the first 12 digits of the build key.", "--tag", "TAG"),
        .. formats.Select(ImageOf),
        SpecKey.Of("publish.overwrite", ValueTypes.Boolean, s => s.Publish.Overwrite, (s, v) => With(s, p => p with { Overwrite = v }),
            "Whether a tag is moved that names something else than images of this name.", "--overwrite-tag"),
        SpecKey.Of("publish.keySecret", ValueTypes.Secret, s => s.Publish.KeySecret, (s, v) => With(s, p => p with { KeySecret = v }),
            "A random text of 32 characters or more that all machines of yours share: with it the build key changes with a build's secrets, too, so that they can share disks and plans; "
                + "without it, it doesn't. A secret.", variable: "BUILD_KEY_SECRET"),
        SpecKey.Of("publish.keySecretFile", SeedValueTypes.SecretFile, s => s.Publish.KeySecret, (s, v) => With(s, p => p with { KeySecret = v }),
            "A file, or a file descriptor (fd:3), that it is read from.", "--key-secret-file", "BUILD_KEY_SECRET_FILE"),
        SpecKey.Of("publish.authFile", ValueTypes.FilePath, s => s.Publish.AuthFile, (s, v) => With(s, p => p with { AuthFile = v }),
            "The file with logins for registries; without it, the one of REGISTRY_AUTH_FILE, or where skopeo login and docker login leave it.", "--auth-file"),
        SpecKey.Of("publish.certDir", Folder, s => s.Publish.CertDir, (s, v) => With(s, p => p with { CertDir = v }),
            "A folder with certificates of a registry's own authority (*.crt), and a client's certificate and key (*.cert, *.key).", "--cert-dir"),
        SpecKey.Of("publish.tls", ValueTypes.Boolean, s => s.Publish.Tls, (s, v) => With(s, p => p with { Tls = v }),
            "Whether the registry must have a certificate that is trusted; false takes any, and plain HTTP.", "--tls"),
        SpecKey.Of("publish.retries", ValueTypes.Integer(0, MostRetries), s => s.Publish.Retries, (s, v) => With(s, p => p with { Retries = v }),
            "How often something is tried again when a registry can't be reached, is busy (429) or fails (5xx).", "--retries"),
        SpecKey.Of("publish.stall", ValueTypes.Time, s => s.Publish.Stall, (s, v) => With(s, p => p with { Stall = v }),
            "How long a registry may take and give nothing before that counts as a failure.", "--publish-stall"),
    ];

    // A key's path has dots between its words: img.zst is img-zst here.
    private static SpecKey ImageOf(SpecFormat format) => SpecKey.Of($"publish.images.{format.Name.Replace('.', '-')}", Reference, s => s.Publish.Images.GetValueOrDefault(format.Name),
        (s, v) => With(s, p => p with { Images = v is null ? p.Images.Remove(format.Name) : p.Images.SetItem(format.Name, v) }),
        $"Where the {format.Name} image is published, in place of repository and tag.",
        variable: format.ReferenceVariable);

    private static BuildSpec With(BuildSpec s, Func<PublishSpec, PublishSpec> change) => s with { Publish = change(s.Publish) };
}
