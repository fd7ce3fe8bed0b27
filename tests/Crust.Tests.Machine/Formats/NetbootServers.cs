using System.Collections.Immutable;
using System.Diagnostics;

namespace Crust.Tests.Machine.Formats;

/// <summary>A network namespace in which dnsmasq, an NFS server (nfs-ganesha) and an HTTP server serve what a folder of netboot has, and machines that start from them.</summary>
internal sealed class NetbootServers : IAsyncDisposable
{
    private static readonly string Network = $"crust-{Environment.ProcessId}";

    private readonly string _home;
    private readonly string _folder;

    private NetbootServers(string home) => (_home, _folder) = (home, Path.GetDirectoryName(home)!);

    public string HttpLog => Path.Combine(_folder, "http.log");

    public string DnsmasqLog => Path.Combine(_folder, "dnsmasq.log");

    /// <param name="home">The folder of netboot; logs are beside it.</param>
    /// <exception cref="CrustException">This host makes no network namespaces.</exception>
    public static async Task<NetbootServers> CreateAsync(string home, CancellationToken cancellation)
    {
        var servers = new NetbootServers(home);
        // In a namespace of its own, a server that has DHCP and knows nothing of netboot.
        await ShellAsync($"""
            ip netns add {Network}
            ip netns add {Network}-dhcp
            ip -n {Network} link set lo up
            ip -n {Network} link add br0 type bridge
            ip -n {Network} addr add 10.77.0.1/24 dev br0
            ip -n {Network} link set br0 up
            for tap in tap0 tap1; do ip -n {Network} tuntap add $tap mode tap; ip -n {Network} link set $tap master br0 up; done
            ip -n {Network} link add dhcp0 type veth peer name eth0 netns {Network}-dhcp
            ip -n {Network} link set dhcp0 master br0 up
            ip -n {Network}-dhcp addr add 10.77.0.2/24 dev eth0
            ip -n {Network}-dhcp link set eth0 up
            """, cancellation);
        return servers;
    }

    public async ValueTask DisposeAsync() => await ShellAsync($"ip netns del {Network}; ip netns del {Network}-dhcp; :", CancellationToken.None);

    public static Task<string> ShellAsync(string script, CancellationToken cancellation) => Host.RunAsync("sh", ["-ec", script], cancellation);

    /// <summary>Runs the servers for as long as machines run, and gives what each of these said, by its name.</summary>
    /// <param name="machines">Firmware (`bios`, `uefi` or `http`), name, last byte of the MAC address, tap device, further arguments of QEMU.</param>
    public Task<ImmutableDictionary<string, string[]>> RunAsync(CancellationToken cancellation, params string[] machines) => RunAsync(machines, isProxy: false, cancellation);

    /// <summary>The same where another server has DHCP.</summary>
    public Task<ImmutableDictionary<string, string[]>> RunAsProxyAsync(CancellationToken cancellation, params string[] machines) => RunAsync(machines, isProxy: true, cancellation);

    private async Task<ImmutableDictionary<string, string[]>> RunAsync(string[] machines, bool isProxy, CancellationToken cancellation)
    {
        var script = Path.Combine(_folder, "serve");
        var other = isProxy
            ? $"ip netns exec {Network}-dhcp dnsmasq -k -C /dev/null --port=0 --dhcp-range=10.77.0.100,10.77.0.200 --log-dhcp --leasefile-ro --user=root "
                + $"--pid-file=\"$PWD/other.pid\" --log-facility=\"$PWD/other.log\" & servers=$!"
            : "";
        // OVMF tries PXE before it tries HTTP, and would take an answer.
        var isHttp = Array.Exists(machines, machine => machine.StartsWith("http ", StringComparison.Ordinal));
        await File.WriteAllTextAsync(script, $$"""
            set -e
            home='{{_home}}'
            cd '{{_folder}}'
            rm -f ./*.log
            # Started first: what comes below hides /run/netns.
            {{other}}
            mount --make-rprivate /
            mount -t tmpfs tmpfs /run
            mkdir -p /run/rpcbind /run/ganesha "$home/state"
            # An export has to be a mount point; and in a namespace of their own its threads may not ask for more than others.
            mount --bind "$home/versions" "$home/versions"
            mount --bind "$home/state" "$home/state"
            {
                echo 'NFS_CORE_PARAM { Protocols = 3; allow_set_io_flusher_fail = true; Enable_NLM = false; Enable_RQUOTA = false; }'
                while read -r path options; do
                    number=$((number + 1))
                    case $options in *'(rw,'*) access=RW ;; *) access=RO ;; esac
                    echo "EXPORT { Export_Id = $number; Path = $path; Pseudo = $path; Access_Type = $access; Squash = No_Root_Squash; SecType = sys; Protocols = 3; FSAL { Name = VFS; } }"
                done <"$home/exports"
            } >/run/ganesha.conf
            rpcbind -w -f & servers="$servers $!"
            ganesha.nfsd -F -L "$PWD/ganesha.log" -f /run/ganesha.conf -p /run/ganesha.pid & servers="$servers $!"
            cp "$home/{{(isProxy ? "dnsmasq-proxy.conf" : "dnsmasq.conf")}}" conf
            {{(isHttp ? "echo dhcp-ignore=tag:efi >>conf" : "")}}
            dnsmasq -k -C "$PWD/conf" --leasefile-ro --user=root --pid-file=/run/dnsmasq.pid --log-facility="$PWD/dnsmasq.log" & servers="$servers $!"
            python3 -m http.server 8080 --directory "$home/current/tftp" >http.log 2>&1 & servers="$servers $!"
            # The next ones want the same ports.
            trap 'kill $servers 2>/dev/null; wait' EXIT
            until rpcinfo -t 127.0.0.1 nfs 3 >/dev/null 2>&1; do kill -0 $servers; sleep 0.2; done
            # NAME NUMBER TAP ARGUMENT…
            machine() {
                name=$1 number=$2 tap=$3
                shift 3
                timeout 600 qemu-system-x86_64 -accel tcg,thread=multi -cpu max,-erms,-fsrm -smp 1 -m 1G -nodefaults -display none -no-reboot -monitor none -device virtio-rng-pci "$@" \
                    -netdev "tap,id=n,ifname=$tap,script=no,downscript=no" -device "virtio-net-pci,netdev=n,mac=52:54:00:aa:00:$number,bootindex=1$rom" -serial "file:$name.log" || echo "$name: $?"
            }
            bios() { rom=; machine "$@" -machine pc -vga std; }
            # QEMU's network card has iPXE for UEFI, too, which would come before OVMF's own.
            uefi() {
                rom=,romfile=
                cp /usr/share/OVMF/OVMF_VARS_4M.fd "$1.vars"
                machine "$@" -machine q35 -drive if=pflash,format=raw,unit=0,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd -drive "if=pflash,format=raw,unit=1,file=$1.vars"
            }
            http() { uefi "$@"; }
            {{string.Join('\n', machines.Select(machine => $"{machine} & machines=\"$machines $!\""))}}
            wait $machines
            """, cancellation);
        using var serving = Process.Start(new ProcessStartInfo("ip", ["netns", "exec", Network, "unshare", "-m", "sh", script]))!;
        try
        {
            await serving.WaitForExitAsync(cancellation);
        }
        finally
        {
            if (!serving.HasExited)
                serving.Kill(entireProcessTree: true);
        }

        return machines.Select(machine => machine.Split(' ')[1]).ToImmutableDictionary(name => name, Read);
    }

    private string[] Read(string name)
    {
        var log = Path.Combine(_folder, $"{name}.log");
        var text = File.Exists(log) ? File.ReadAllText(log) : "";
        var said = text.Split("says: ")[1..].Select(line => line.Split('\r', '\n')[0]).ToArray();
        Assert.That(said, Does.Contain("end"), $"{name}: {text[^Math.Min(text.Length, 3000)..]}\n{(File.Exists(DnsmasqLog) ? File.ReadAllText(DnsmasqLog) : "")}");
        return said;
    }
}
