using Crust.Seeds.Documents;
using Crust.Spec;

namespace Crust.Layers;

/// <summary>Accounts as cloud-init's configuration says them (its documentation, "Users and groups").</summary>
internal static class UsersConfig
{
    /// <summary>The file's name in /etc/cloud/cloud.cfg.d: of what Crust brings the first, so that a `config` layer comes after it.</summary>
    public const string FileName = "40-crust-users.cfg";

    /// <summary>The file. It names the system's own default account, too, which a list without it would leave out.</summary>
    public static string Text(LayerSpec.Users users) => ConfigWriter.Write(ConfigTree.Map(("users", ConfigTree.List([Word("default"), .. users.Accounts.Select(Account)]))));

    private static ConfigMap Account(LayerUser user) => ConfigTree.Map(
        ("name", Word(user.Name)),
        ("groups", user.Groups.IsEmpty ? null : ConfigTree.List([.. user.Groups.Select(Word)])),
        ("shell", user.Shell is null ? null : Word(user.Shell)),
        ("sudo", user.Sudo ? Word("ALL=(ALL) NOPASSWD:ALL") : null),
        ("lock_passwd", ConfigTree.Flag(true, Place.Default)),
        ("ssh_authorized_keys", ConfigTree.List([.. user.Keys.Select(Word)])));

    private static ConfigNode Word(string text) => ConfigTree.Text(text, Place.Default);
}
