using System.Security;
using Crust.Spec;

namespace Crust.Formats.Ova;

/// <summary>The text in an OVA that describes the machine (DMTF DSP0243, Open Virtualization Format 1.1).</summary>
internal static class OvfDescriptor
{
    // ESXi 6.5, Workstation 14; newer ones take it, and VirtualBox takes any.
    private const string HardwareVersion = "vmx-13";

    // ESXi 6.7, Workstation 14: the first with a TPM.
    private const string HardwareVersionWithTpm = "vmx-14";

    private const string TpmItem = "\n" + """
              <Item ovf:required="false">
                <rasd:AutomaticAllocation>false</rasd:AutomaticAllocation>
                <rasd:Description>TPM 2.0</rasd:Description>
                <rasd:ElementName>Virtual TPM</rasd:ElementName>
                <rasd:InstanceID>6</rasd:InstanceID>
                <rasd:ResourceSubType>vmware.vtpm</rasd:ResourceSubType>
                <rasd:ResourceType>1</rasd:ResourceType>
              </Item>
        """;

    /// <summary>Whether it asks for Secure Boot or a TPM.</summary>
    public static bool HasSecurity(MachineSpec machine) => machine.Firmware is Firmware.UefiSecure || HasTpm(machine);

    // VMware has none for a machine with BIOS.
    private static bool HasTpm(MachineSpec machine) => machine.Tpm && machine.Firmware is not Firmware.Bios;

    /// <param name="diskSize">The disk's size in bytes, as the guest sees it.</param>
    /// <param name="file">The vmdk's name in the archive.</param>
    /// <param name="fileSize">The vmdk's length in bytes.</param>
    public static string For(string name, MachineSpec machine, long diskSize, string file, long fileSize)
    {
        var title = SecurityElement.Escape(name);
        // 101 is Linux of 64 bits (CIM_OperatingSystem.OsType). VMware has a name of its own for it on x86 alone.
        var guest = machine.Arch is Arch.Amd64 ? " vmw:osType=\"otherLinux64Guest\"" : "";
        var firmware = machine.Firmware is Firmware.Bios ? "bios" : "efi";
        var secureBoot = machine.Firmware is Firmware.UefiSecure ? "\n      <vmw:Config ovf:required=\"false\" vmw:key=\"bootOptions.efiSecureBootEnabled\" vmw:value=\"true\"/>" : "";
        // What has no TPM to give, or no keys to keep one with, imports the machine without it.
        var tpm = HasTpm(machine) ? TpmItem : "";
        // The children of an Item are in the alphabet's order, as the schema wants them.
        return $"""
            <?xml version="1.0" encoding="UTF-8"?>
            <Envelope ovf:version="1.0" xml:lang="en-US"
                xmlns="http://schemas.dmtf.org/ovf/envelope/1"
                xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"
                xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"
                xmlns:vssd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData"
                xmlns:vmw="http://www.vmware.com/schema/ovf">
              <References>
                <File ovf:id="file1" ovf:href="{file}" ovf:size="{fileSize}"/>
              </References>
              <DiskSection>
                <Info>The disks of the machine</Info>
                <Disk ovf:diskId="disk1" ovf:fileRef="file1" ovf:capacity="{diskSize}" ovf:capacityAllocationUnits="byte" ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"/>
              </DiskSection>
              <NetworkSection>
                <Info>The networks of the machine</Info>
                <Network ovf:name="VM Network">
                  <Description>The network that the first card is connected to</Description>
                </Network>
              </NetworkSection>
              <VirtualSystem ovf:id="{title}">
                <Info>A virtual machine</Info>
                <Name>{title}</Name>
                <OperatingSystemSection ovf:id="101"{guest}>
                  <Info>The operating system in it</Info>
                  <Description>Linux, 64 bits</Description>
                </OperatingSystemSection>
                <VirtualHardwareSection>
                  <Info>The hardware that it needs</Info>
                  <System>
                    <vssd:ElementName>Virtual hardware</vssd:ElementName>
                    <vssd:InstanceID>0</vssd:InstanceID>
                    <vssd:VirtualSystemIdentifier>{title}</vssd:VirtualSystemIdentifier>
                    <vssd:VirtualSystemType>{(tpm.Length > 0 ? HardwareVersionWithTpm : HardwareVersion)}</vssd:VirtualSystemType>
                  </System>
                  <Item>
                    <rasd:AllocationUnits>hertz * 10^6</rasd:AllocationUnits>
                    <rasd:Description>Virtual CPUs</rasd:Description>
                    <rasd:ElementName>{machine.Cpus} virtual CPUs</rasd:ElementName>
                    <rasd:InstanceID>1</rasd:InstanceID>
                    <rasd:ResourceType>3</rasd:ResourceType>
                    <rasd:VirtualQuantity>{machine.Cpus}</rasd:VirtualQuantity>
                  </Item>
                  <Item>
                    <rasd:AllocationUnits>byte * 2^20</rasd:AllocationUnits>
                    <rasd:Description>Memory</rasd:Description>
                    <rasd:ElementName>{machine.Memory >> 20} MiB of memory</rasd:ElementName>
                    <rasd:InstanceID>2</rasd:InstanceID>
                    <rasd:ResourceType>4</rasd:ResourceType>
                    <rasd:VirtualQuantity>{machine.Memory >> 20}</rasd:VirtualQuantity>
                  </Item>
                  <Item>
                    <rasd:Address>0</rasd:Address>
                    <rasd:Description>SCSI controller</rasd:Description>
                    <rasd:ElementName>SCSI controller 0</rasd:ElementName>
                    <rasd:InstanceID>3</rasd:InstanceID>
                    <rasd:ResourceSubType>lsilogic</rasd:ResourceSubType>
                    <rasd:ResourceType>6</rasd:ResourceType>
                  </Item>
                  <Item>
                    <rasd:AddressOnParent>0</rasd:AddressOnParent>
                    <rasd:ElementName>Hard disk 1</rasd:ElementName>
                    <rasd:HostResource>ovf:/disk/disk1</rasd:HostResource>
                    <rasd:InstanceID>4</rasd:InstanceID>
                    <rasd:Parent>3</rasd:Parent>
                    <rasd:ResourceType>17</rasd:ResourceType>
                  </Item>
                  <Item>
                    <rasd:AutomaticAllocation>true</rasd:AutomaticAllocation>
                    <rasd:Connection>VM Network</rasd:Connection>
                    <rasd:Description>Network card</rasd:Description>
                    <rasd:ElementName>Network card 1</rasd:ElementName>
                    <rasd:InstanceID>5</rasd:InstanceID>
                    <rasd:ResourceSubType>E1000</rasd:ResourceSubType>
                    <rasd:ResourceType>10</rasd:ResourceType>
                  </Item>{tpm}
                  <vmw:Config ovf:required="false" vmw:key="firmware" vmw:value="{firmware}"/>{secureBoot}
                </VirtualHardwareSection>
              </VirtualSystem>
            </Envelope>

            """;
    }
}
