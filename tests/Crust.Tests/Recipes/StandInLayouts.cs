namespace Crust.Tests.Recipes;

/// <summary>How upstream writes a list of checksums.</summary>
internal enum ListForm
{
    /// <summary>There is none.</summary>
    None,

    /// <summary>`SUM  NAME`.</summary>
    TwoBlanks,

    /// <summary>`SUM *NAME`.</summary>
    Star,

    /// <summary>The sum alone.</summary>
    Bare,

    /// <summary>`SUM *NAME`, signed in the clear.</summary>
    ClearSigned,

    /// <summary>`SUM  NAME`, with a signature beside it.</summary>
    Signed,
}

/// <summary>What upstream serves, as its documentation and packagers say; not read from the recipes.</summary>
/// <param name="Members">What is in the archive; a folder ends with a slash, a link says where it leads behind an arrow. Null for a file that isn't packed.</param>
internal sealed record StandInLayout(ListForm Form, string[]? Members)
{
    private static StandInLayout Packed(ListForm form, params string[] members) => new(form, members);

    private static StandInLayout Raw(ListForm form) => new(form, null);

    /// <summary>By recipe and download.</summary>
    public static readonly IReadOnlyDictionary<(string Recipe, string Download), StandInLayout> All = new Dictionary<(string, string), StandInLayout>
    {
        [("cilium-cli", "cilium-cli")] = Packed(ListForm.TwoBlanks, "cilium"),
        [("cni-plugins", "cni-plugins")] = Packed(ListForm.TwoBlanks, "./", "./bridge", "./host-local", "./loopback", "./portmap", "./LICENSE", "./README.md"),
        [("consul", "consul")] = Packed(ListForm.Signed, "LICENSE.txt", "consul"),
        [("containerd", "containerd")] = Packed(ListForm.TwoBlanks, "bin/", "bin/containerd", "bin/containerd-shim-runc-v2", "bin/containerd-stress", "bin/ctr"),
        [("cosign", "cosign")] = Raw(ListForm.TwoBlanks),
        [("crane", "crane")] = Packed(ListForm.TwoBlanks, "LICENSE", "README.md", "crane", "gcrane", "krane"),
        [("cri-o", "cri-o")] = Packed(ListForm.TwoBlanks, "cri-o/", "cri-o/bin/", "cri-o/bin/conmon", "cri-o/bin/conmonrs", "cri-o/bin/crictl", "cri-o/bin/crio", "cri-o/bin/crio-credential-provider", "cri-o/bin/crun", "cri-o/bin/pinns",
            "cri-o/bin/runc", "cri-o/cni-plugins/bridge", "cri-o/contrib/11-crio-ipv4-bridge.conflist", "cri-o/contrib/crio.service", "cri-o/contrib/policy.json", "cri-o/contrib/registries.conf", "cri-o/etc/10-crio.conf",
            "cri-o/etc/crictl.yaml", "cri-o/etc/crio-umount.conf", "cri-o/install"),
        [("crictl", "crictl")] = Packed(ListForm.TwoBlanks, "crictl"),
        [("crun", "crun")] = Raw(ListForm.None),
        [("docker", "docker")] = Packed(ListForm.None, "docker/", "docker/containerd", "docker/containerd-shim-runc-v2", "docker/ctr", "docker/docker", "docker/docker-init", "docker/docker-proxy", "docker/dockerd", "docker/runc"),
        [("docker-buildx", "docker-buildx")] = Raw(ListForm.Star),
        [("docker-compose", "docker-compose")] = Raw(ListForm.Star),
        [("falco", "falco")] = Packed(ListForm.None, "falco-{version}-{machine}/etc/falco/", "falco-{version}-{machine}/etc/falco/falco.yaml", "falco-{version}-{machine}/etc/falco/falco_rules.yaml",
            "falco-{version}-{machine}/usr/bin/falco", "falco-{version}-{machine}/usr/bin/falcoctl", "falco-{version}-{machine}/usr/share/falco/plugins/libcontainer.so"),
        [("flux", "flux")] = Packed(ListForm.TwoBlanks, "flux"),
        [("gitops", "gitops")] = Packed(ListForm.None, "LICENSE", "gitops"),
        [("helm", "helm")] = Packed(ListForm.TwoBlanks, "linux-{arch}/", "linux-{arch}/LICENSE", "linux-{arch}/README.md", "linux-{arch}/helm"),
        [("k3s", "airgap")] = Raw(ListForm.TwoBlanks),
        [("k3s", "k3s")] = Raw(ListForm.TwoBlanks),
        [("k9s", "k9s")] = Packed(ListForm.TwoBlanks, "LICENSE", "README.md", "k9s"),
        [("kubernetes", "kubeadm")] = Raw(ListForm.Bare),
        [("kubernetes", "kubectl")] = Raw(ListForm.Bare),
        [("kubernetes", "kubelet")] = Raw(ListForm.Bare),
        [("keepalived", "keepalived")] = Packed(ListForm.None, "etc/dbus-1/system.d/org.keepalived.Vrrp1.conf", "etc/default/keepalived", "lib/systemd/system/keepalived.service", "usr/sbin/keepalived"),
        [("nats-server", "nats-server")] = Packed(ListForm.TwoBlanks, "nats-server-{tag}-linux-{arch}/", "nats-server-{tag}-linux-{arch}/LICENSE", "nats-server-{tag}-linux-{arch}/nats-server"),
        // Its list names what is in the archives, too.
        [("nebula", "nebula")] = Packed(ListForm.TwoBlanks, "nebula", "nebula-cert"),
        [("nerdctl", "nerdctl")] = Packed(ListForm.TwoBlanks, "containerd-rootless-setuptool.sh", "containerd-rootless.sh", "nerdctl"),
        [("nomad", "nomad")] = Packed(ListForm.Signed, "LICENSE.txt", "nomad"),
        [("oras", "oras")] = Packed(ListForm.TwoBlanks, "LICENSE", "oras"),
        [("rke2", "canal")] = Raw(ListForm.TwoBlanks),
        [("rke2", "cilium")] = Raw(ListForm.TwoBlanks),
        [("rke2", "core")] = Raw(ListForm.TwoBlanks),
        [("rke2", "rke2")] = Packed(ListForm.TwoBlanks, "bin/", "bin/rke2", "bin/rke2-killall.sh", "bin/rke2-uninstall.sh", "lib/systemd/system/rke2-agent.env", "lib/systemd/system/rke2-agent.service", "lib/systemd/system/rke2-server.env",
            "lib/systemd/system/rke2-server.service", "share/rke2/LICENSE.txt"),
        [("runc", "runc")] = Raw(ListForm.ClearSigned),
        [("tailscale", "tailscale")] = Packed(ListForm.Bare, "tailscale_{version}_{arch}/", "tailscale_{version}_{arch}/systemd/tailscaled.defaults", "tailscale_{version}_{arch}/systemd/tailscaled.service",
            "tailscale_{version}_{arch}/tailscale", "tailscale_{version}_{arch}/tailscaled"),
        [("vault", "vault")] = Packed(ListForm.Signed, "LICENSE.txt", "vault"),
        [("wasmcloud", "wash")] = Raw(ListForm.None),
        [("wasmtime", "wasmtime")] = Packed(ListForm.None, "wasmtime-{tag}-{machine}-linux/", "wasmtime-{tag}-{machine}-linux/LICENSE", "wasmtime-{tag}-{machine}-linux/wasmtime"),
    };
}
