"""
The VM sizes of pools: a table of November 2026, and the documented grammar of their names.

A line of the table is a series, with ``*`` for the number of cores, and its numbers of cores. A
name with fewer cores than its size, such as ``Standard_E8-4ds_v5``, stands for the size itself.
Sizes that Microsoft's page "Choose VM sizes and images for pools" excludes are left out: series B,
``Standard_A0`` and ``Standard_A8`` to ``A11``. Retired sizes are included, because recorded pools
have them.
"""

import re
from typing import Final

from batch_emulator.errors import invalid_property

_SERIES: Final = """
A* 1 2 3 4 5 6 7
A*_v2 1 2 4 8
A*m_v2 2 4 8
D* DS* 1 2 3 4 11 12 13 14
D*_v2 DS*_v2 1 2 3 4 5 11 12 13 14 15
D*_v3 D*s_v3 D*_v4 D*s_v4 D*d_v4 D*ds_v4 2 4 8 16 32 48 64
D*a_v4 D*as_v4 2 4 8 16 32 48 64 96
D*_v5 D*s_v5 D*d_v5 D*ds_v5 D*as_v5 D*ads_v5 D*ls_v5 D*lds_v5 2 4 8 16 32 48 64 96
D*ps_v5 D*pds_v5 D*pls_v5 D*plds_v5 2 4 8 16 32 48 64
D*as_v6 D*ads_v6 D*als_v6 D*alds_v6 D*ps_v6 D*pds_v6 D*pls_v6 D*plds_v6 2 4 8 16 32 48 64 96
D*s_v6 D*ds_v6 D*ls_v6 D*lds_v6 2 4 8 16 32 48 64 96 128 192
D*as_v7 D*ads_v7 D*als_v7 D*alds_v7 2 4 8 16 32 48 64 96 128 160
DC*as_v5 DC*ads_v5 EC*as_v5 EC*ads_v5 DC*as_v6 DC*ads_v6 EC*as_v6 EC*ads_v6 2 4 8 16 20 32 48 64 96
DC*es_v6 DC*eds_v6 EC*es_v6 EC*eds_v6 2 4 8 16 32 48 64 96 128
E*_v3 E*s_v3 E*_v4 E*s_v4 E*d_v4 E*ds_v4 2 4 8 16 20 32 48 64
E*i_v3 E*is_v3 64
E*is_v4 E*ids_v4 80
E*a_v4 E*as_v4 2 4 8 16 20 32 48 64 96
E*ias_v4 96
E*_v5 E*s_v5 E*d_v5 E*ds_v5 E*as_v5 E*ads_v5 E*bs_v5 E*bds_v5 2 4 8 16 20 32 48 64 96
E*i_v5 E*is_v5 E*id_v5 E*ids_v5 104
E*ias_v5 E*iads_v5 E*ibs_v5 E*ibds_v5 112
E*ps_v5 E*pds_v5 2 4 8 16 20 32
E*s_v6 E*ds_v6 E*as_v6 E*ads_v6 E*ps_v6 E*pds_v6 2 4 8 16 20 32 48 64 96 128
E*is_v6 E*ids_v6 192
E*bs_v6 E*bds_v6 2 4 8 16 32 48 64 96 128 192
E*as_v7 E*ads_v7 2 4 8 16 20 32 48 64 96 128 160
F* F*s 1 2 4 8 16
F*s_v2 2 4 8 16 32 48 64 72
F*as_v6 F*als_v6 F*ams_v6 2 4 8 16 32 48 64
F*as_v7 F*als_v7 F*ams_v7 F*ads_v7 F*alds_v7 F*amds_v7 1 2 4 8 16 32 48 64 80
FX*mds 4 12 24 36 48
FX*ms_v2 FX*mds_v2 2 4 8 12 16 24 32 48 64 96
G* GS* 1 2 3 4 5
H* H*m 8 16
H*r H*mr 16
HB*rs 60
HB*rs_v2 HB*rs_v3 120
HB*rs_v4 HX*rs 176
HC*rs 44
L*s 4 8 16 32
L*s_v2 L*s_v3 L*as_v3 8 16 32 48 64 80
L*s_v4 L*as_v4 L*aos_v4 2 4 8 12 16 24 32 48 64 80 96
M* M*m M*s M*ms 64 128
M*ls 32 64
M*ts 32
M*ms 8 16 32
M*s_v2 M*ms_v2 M*ds_v2 M*dms_v2 32 64 128
M*s_v2 M*ms_v2 208 416
M*is_v2 M*ims_v2 M*ids_v2 M*idms_v2 192
M*s_v3 M*ds_v3 12 24
M*s_1_v3 M*ds_1_v3 48 96
M*s_2_v3 M*ds_2_v3 96
M*s_3_v3 M*ds_3_v3 M*s_4_v3 M*ds_4_v3 176
NC* NV* 6 12 24
NC*r 24
NC*s_v2 NC*s_v3 ND*s 6 12 24
NC*rs_v2 NC*rs_v3 ND*rs 24
NC*as_T4_v3 4 8 16 64
NC*ads_A100_v4 24 48 96
NC*ads_H100_v5 NCC*ads_H100_v5 40 80
ND*rs_v2 40
ND*asr_v4 ND*amsr_A100_v4 ND*isr_H100_v5 ND*isr_H200_v5 ND*isr_MI300X_v5 96
ND*isr_NDR_GB200_v6 128
NG*ads_V620_v1 8 16 32
NP*s 10 20 40
NV*s_v2 6 12 24
NV*s_v3 12 24 48
NV*as_v4 4 8 16 32
NV*ads_A10_v5 6 12 18 36 72
NV*adms_A10_v5 36
NV*ads_V710_v5 4 8 12 24 28
"""
_BASIC: Final = {f"basic_a{number}" for number in range(1, 5)}
_NAME: Final = re.compile(
    r"(?P<family>(?:standard_|basic_)[a-z]+)(?P<cores>\d+)(?:-(?P<fewer>\d+))?"
    r"(?P<rest>[a-z]*(?:_[a-z0-9]+)*)"
)


def _expand(table: str) -> frozenset[str]:
    names = set(_BASIC)
    for line in table.split("\n"):
        words = line.lower().split()
        series = [word for word in words if "*" in word]
        cores = [word for word in words if word.isdecimal()]
        names |= {f"standard_{name.replace('*', number)}" for name in series for number in cores}
    return frozenset(names)


SIZES: Final = _expand(_SERIES)


def check_vm_size(size: str, *, anything: bool) -> str:
    """
    Return a VM size as the service prints it.

    Args:
        size: Its name, in any case.
        anything: Whether to accept names that are not in the table.

    Raises:
        ServiceError: Batch has no such size.
    """
    folded = size.lower()
    if anything:
        return folded
    name = _NAME.fullmatch(folded)
    if name is None:
        reason = "The value is not a name of a VM size, such as Standard_D2ds_v5"
        raise invalid_property("vmSize", size, reason)
    whole = f"{name['family']}{name['cores']}{name['rest']}"
    fewer = int(name["fewer"] or 1)
    if whole not in SIZES or not 0 < fewer < int(name["cores"]) + (name["fewer"] is None):
        reason = (
            "Azure Batch has no such VM size, as far as the emulator's table of November 2026 goes;"
            " batch-emulator --any-vm-size takes it all the same"
        )
        raise invalid_property("vmSize", size, reason)
    return folded
