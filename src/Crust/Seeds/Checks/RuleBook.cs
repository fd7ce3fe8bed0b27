using System.Collections.Immutable;

namespace Crust.Seeds.Checks;

/// <summary>All rules, in the order of docs/checks.md.</summary>
internal static class RuleBook
{
    public static readonly ImmutableArray<SeedRule> All =
    [
        DocumentRules.Yaml, DocumentRules.Tab, DocumentRules.DuplicateKey, DocumentRules.Header, DocumentRules.NotAMapping, DocumentRules.Kickstart, DocumentRules.Ignition, DocumentRules.Variable,
        PythonYamlRules.Tag,
        SchemaRules.UnknownKey, SchemaRules.MisplacedKey, SchemaRules.UnreadKey, SchemaRules.WrongType, SchemaRules.WrongValue, SchemaRules.MissingKey, SchemaRules.Deprecated, SchemaRules.Obsolete,
            SchemaRules.Rewritten,
        CharacterRules.Invisible,
        EndingRules.Both, EndingRules.Reboot, EndingRules.NoPoweroff, EndingRules.NoAuto,
        DeviceRules.Device, DiskSizeRules.DiskSize,
        PaletteRules.Endpoint, PaletteRules.NoEndpoint, PaletteRules.Registration, PaletteRules.RegistrationUrl, PaletteRules.Token,
        LoginRules.NoLogin, LoginRules.LockedPassword, LoginRules.NoAccount,
        KairosRules.NoAdmin, KairosRules.SshHardening, KairosRules.ExtraPartitions,
        PasswordRules.PlainPassword, PasswordRules.PasswordHash,
        KeyRules.PrivateKey, KeyRules.PublicKey,
        NameRules.Hostname, NameRules.UserName,
        WriteFilesRules.RelativePath, WriteFilesRules.Encoding, WriteFilesRules.TwoContents, WriteFilesRules.EmbeddedYaml, WriteFilesRules.OwnerLater, WriteFilesRules.TooEarly, FileModeRules.Mode,
        AutoinstallRules.NoAutoinstall, AutoinstallRules.NoIdentity, AutoinstallRules.Kernel,
        KickstartRules.SeveralEndings, KickstartLanguageRules.Command, KickstartLanguageRules.Value, KickstartLanguageRules.Section, KickstartLanguageRules.Gone,
        PreseedRules.Line, PreseedRules.Question,
        IgnitionRules.OldVersion, IgnitionRules.Twice, IgnitionRules.Unit,
        UnusedRules.Unused, UnusedRules.NoPlace, UnusedRules.Reference,
        SizeRules.TooLarge,
        SpecFileRules.SecretInSpec,
    ];
}
