# SPDX-License-Identifier: Apache-2.0
"""Public keys as the programs of the users write them.

`RSA` and `ED25519` are in the form in which they are kept.
"""

ED25519 = ('ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIMHfm6fprYW3sk+nQKs7CBRsv225P'
           'pMWRKt3K4BUK/G')
RSA = ('ssh-rsa '
       'AAAAB3NzaC1yc2EAAAADAQABAAABAQCfhmgfju8URBq7LE9MYvZBPhwWDKm4'
       'loZKmgF8FN7CYc9GMKTHN99/H3+AC6w6/cwLb2mxtcpT3lgroHed2lLTh5WT'
       'DrJUmOtSi/MLTNI8Fsrst7IxM9FDWZLCeX53Yl5ArQ7aVOKBxiLg6lxXDs1A'
       'QpAu+TT1FpYiX/drm2a2Evy46ka+cW42s0ouq4W72x7o0dmmIk5tL46o5fTh'
       '511jtmp6layiU+dy2zPC/5CpkSuv23ENO3FoBeKJ/w4oq4iA9RhGV8E6JPtx'
       '5p5SGQZNanx/o6g0BjgrzShQpGxu827PlrHMrCDOKzy7MiqeZLp1ptfG/AWL'
       '8sp4wQzhoUmV')
# As PuTTY writes it.
RFC4716 = """\
---- BEGIN SSH2 PUBLIC KEY ----
Comment: "a key"
AAAAB3NzaC1yc2EAAAADAQABAAABAQCfhmgfju8URBq7LE9MYvZBPhwWDKm4loZKmgF8FN
7CYc9GMKTHN99/H3+AC6w6/cwLb2mxtcpT3lgroHed2lLTh5WTDrJUmOtSi/MLTNI8Fsrs
t7IxM9FDWZLCeX53Yl5ArQ7aVOKBxiLg6lxXDs1AQpAu+TT1FpYiX/drm2a2Evy46ka+cW
42s0ouq4W72x7o0dmmIk5tL46o5fTh511jtmp6layiU+dy2zPC/5CpkSuv23ENO3FoBeKJ
/w4oq4iA9RhGV8E6JPtx5p5SGQZNanx/o6g0BjgrzShQpGxu827PlrHMrCDOKzy7MiqeZL
p1ptfG/AWL8sp4wQzhoUmV
---- END SSH2 PUBLIC KEY ----
"""
# As OpenSSL writes it.
PEM = """\
-----BEGIN RSA PUBLIC KEY-----
MIIBCgKCAQEAn4ZoH47vFEQauyxPTGL2QT4cFgypuJaGSpoBfBTewmHPRjCkxzff
fx9/gAusOv3MC29psbXKU95YK6B3ndpS04eVkw6yVJjrUovzC0zSPBbK7LeyMTPR
Q1mSwnl+d2JeQK0O2lTigcYi4OpcVw7NQEKQLvk09RaWIl/3a5tmthL8uOpGvnFu
NrNKLquFu9se6NHZpiJObS+OqOX04eddY7ZqepWsolPnctszwv+QqZErr9txDTtx
aAXiif8OKKuIgPUYRlfBOiT7ceaeUhkGTWp8f6OoNAY4K80oUKRsbvNuz5axzKwg
zis8uzIqnmS6dabXxvwFi/LKeMEM4aFJlQIDAQAB
-----END RSA PUBLIC KEY-----
"""
