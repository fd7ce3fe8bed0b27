using Crust.Seeds.Documents;
using Crust.Spec;
using static Crust.Seeds.Documents.ConfigTree;

namespace Crust.Seeds;

/// <summary>The cloud-config that a spec stands for, before the user's own is merged over it.</summary>
internal static class GeneratedConfig
{
    /// <param name="user">The user's document, which decides how the install ends.</param>
    public static ConfigMap Of(SeedRequest request, ConfigMap user)
    {
        var (spec, seed) = (request.Spec, request.Spec.Seed);
        // Both are asked of the user's file: where it asks for a reboot alone, a poweroff beside it would only mislead its reader.
        var rebootsOnly = IsTrue(Find(user, "install", "reboot")) && Find(user, "install", "poweroff") is null;
        var account = seed.Ssh.User is null ? null : new Account(spec, request.Salt);
        var site = Site(spec, request.Files);
        // An account comes where its reader looks for it; nobody knows of an unknown system, so it comes in both places.
        var (isKairos, isCloudInit) = (request.Profile is not SeedProfile.Debian, request.Profile is null or SeedProfile.Debian);
        // For keys alone Kairos' agent wants one account with a key among these, too (kairos-sdk, schema/root_schema.go, ValidateSemantics).
        var isHardened = request.Profile is SeedProfile.Kairos && IsTrue(Find(user, "install", "ssh_hardening")) && seed.Ssh.AuthorizedKeys.Length > 0;
        return Map(
            ("install", Map(("auto", Flag(true, Place.Default)), ("device", Text(DeviceOf(spec.Machine), Place.Default)), ("poweroff", rebootsOnly ? null : Flag(true, Place.Default)))),
            ("hostname", seed.Hostname is { } name ? Text(name, At(spec, "seed.hostname")) : null),
            ("stylus", site.Entries.IsEmpty ? null : Map(("site", site))),
            ("users", account is null ? null : isCloudInit ? List(account.ForCloudInit()) : isHardened ? List(account.ForHardenedKairos()) : null),
            ("ssh_pwauth", account?.Hash is null || !isCloudInit ? null : Flag(true, account.Hash.Place)),
            ("stages", account is null || !isKairos ? null : Map(("initramfs", List(Map(("users", account.ForKairos())))))));
    }

    // Where another disk is as large, "auto", the largest, may be one that is thrown away.
    private static string DeviceOf(MachineSpec machine) => machine.HasLargerExtraDisk ? machine.DiskName : "auto";

    private static ConfigMap Site(BuildSpec spec, SeedFiles files)
    {
        var palette = spec.Seed.Palette;
        var (tags, certs, ntp) = (PlaceOf("tags"), PlaceOf("caCerts"), PlaceOf("ntpServers"));
        var network = Map(
            ("httpProxy", Hidden(palette.HttpProxy, "httpProxy")),
            ("httpsProxy", Hidden(palette.HttpsProxy, "httpsProxy")),
            ("noProxy", Given("noProxy", palette.NoProxy)));
        return Map(
            ("paletteEndpoint", Given("endpoint", palette.Endpoint)),
            ("registrationURL", Given("registrationUrl", palette.RegistrationUrl)),
            ("edgeHostToken", Hidden(palette.EdgeHostToken, "edgeHostToken", "edgeHostTokenFile")),
            ("projectUid", Given("projectUid", palette.ProjectUid)),
            ("projectName", Given("projectName", palette.ProjectName)),
            ("name", Given("name", palette.Name)),
            ("tags", palette.Tags.IsEmpty ? null : Map(palette.Tags.Select(tag => ((ConfigNode)Text(tag.Key, tags), (ConfigNode?)Text(tag.Value, tags))))),
            ("network", network.Entries.IsEmpty ? null : network),
            ("caCerts", files.CaCerts.IsEmpty ? null : List(files.CaCerts.Select(pem => Block(pem, certs)))),
            ("ntpServers", palette.NtpServers.IsEmpty ? null : List(palette.NtpServers.Select(server => Text(server, ntp)))));

        Place PlaceOf(params IEnumerable<string> keys) => At(spec, keys.Select(key => $"seed.palette.{key}"));
        ConfigScalar? Given(string key, string? value) => value is null ? null : Text(value, PlaceOf(key));
        ConfigScalar? Hidden(Secret? value, params IEnumerable<string> keys) => value is null ? null : SecretText(value.Reveal(), PlaceOf(keys));
    }

    /// <summary>Where the spec got a key from, which may be given under one of several names.</summary>
    internal static Place At(BuildSpec spec, params IEnumerable<string> keys) => keys.Select(key => spec.Origins.GetValueOrDefault(key)).FirstOrDefault(origin => origin is not null) is { } given
        ? Place.Of(given)
        : Place.Default;

    // The account as both of its readers want it.
    private sealed class Account
    {
        private readonly Place _place;
        private readonly string _name;
        private readonly ConfigList? _keys;

        public Account(BuildSpec spec, string salt)
        {
            var ssh = spec.Seed.Ssh;
            var keysPlace = At(spec, "seed.ssh.authorizedKeys");
            (_name, _place) = (ssh.User!, At(spec, "seed.ssh.user"));
            _keys = ssh.AuthorizedKeys.IsEmpty ? null : List(ssh.AuthorizedKeys.Select(key => Text(key, keysPlace)));
            var hash = ssh.PasswordHash?.Reveal() ?? (ssh.Password is { } password ? Sha512Crypt.Hash(password.Reveal(), salt) : null);
            Hash = hash is null ? null : SecretText(hash, At(spec, "seed.ssh.password", "seed.ssh.passwordFile", "seed.ssh.passwordHash"));
        }

        /// <summary>Its password's hash; null for none.</summary>
        public ConfigScalar? Hash { get; }

        // cloud-init, module "Users and Groups". Without a password the account's is locked, which is cloud-init's default.
        public ConfigMap ForCloudInit() => Map(
            ("name", Text(_name, _place)),
            ("groups", List(Text("sudo", Place.Default))),
            ("sudo", Text("ALL=(ALL) NOPASSWD:ALL", Place.Default)),
            ("shell", Text("/bin/bash", Place.Default)),
            ("lock_passwd", Flag(Hash is null, Place.Default)),
            ("passwd", Hash),
            ("ssh_authorized_keys", _keys));

        // Kairos and stylus create accounts in a stage. Theirs has an empty password, not a locked one, unless told otherwise. Kairos' sudo is for the group admin, and
        // without an account in it its agent doesn't install; the images of others have sudo. A group that isn't there is passed over.
        public ConfigMap ForKairos() => Map((Text(_name, _place), (ConfigNode?)Map(
            ("groups", List(Text("admin", Place.Default), Text("sudo", Place.Default))),
            ("passwd", Hash),
            ("lock_passwd", Hash is null ? Flag(true, Place.Default) : null),
            ("ssh_authorized_keys", _keys))));

        public ConfigMap ForHardenedKairos() => Map(
            ("name", Text(_name, _place)),
            ("groups", List(Text("admin", Place.Default), Text("sudo", Place.Default))),
            ("lock_passwd", Hash is null ? Flag(true, Place.Default) : null),
            ("passwd", Hash),
            ("ssh_authorized_keys", _keys));
    }
}
