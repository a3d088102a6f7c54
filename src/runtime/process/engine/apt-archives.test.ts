import { describe, expect, it } from 'vitest';
import { acquireSettings, rankArchives, sourceLine, withoutUserInfo } from './apt-archives.js';

const line = (...fields: readonly string[]): string => fields.join('\t');

describe('the Debian archives of a machine', () => {
  it('are those of Debian suites, each once; security and other vendors’ are left out', () => {
    const targets = [
      line('Packages', 'nodistro', 'main', 'https://vendor.example/node_20.x/'),
      line('Packages', 'bookworm-security', 'main', 'http://mirror.example/debian-security/'),
      line('Packages', 'bookworm-updates', 'main', 'http://updates.example/debian/'),
      line('Translations', 'bookworm', 'main', 'http://other.example/debian/'),
      line('Packages', 'bookworm', 'main', 'http://mirror.example/debian/'),
      line('Packages', 'bookworm', 'contrib', 'http://contrib.example/debian/'),
      line('Packages', 'bookworm', 'main', 'http://mirror.example/debian/'),
      '',
    ].join('\n');
    expect(rankArchives(targets)).toEqual(['http://mirror.example/debian/', 'http://updates.example/debian/']);
  });

  it('may be known by their address alone, e.g. of a company’s own suite', () => {
    const targets = [
      line('Packages', 'jammy', 'main', 'http://mirror.example/ubuntu/'),
      line('Packages', 'corp-12', 'main', 'http://mirror.example/debian/'),
      line('Packages', 'bookworm', 'main', 'cdrom:[Debian 12]/'),
      line('Packages', 'bullseye', 'main', 'mirror+file:/etc/apt/mirrors/debian.list'),
    ].join('\n');
    expect(rankArchives(targets)).toEqual([
      'mirror+file:/etc/apt/mirrors/debian.list',
      'http://mirror.example/debian/',
    ]);
  });

  it('become a source that the Debian keyring vouches for, where there is one', () => {
    const uri = 'http://mirror.example/debian/';
    expect(sourceLine(uri, 'trixie', '/debian.gpg')).toBe(`deb [signed-by=/debian.gpg] ${uri} trixie main\n`);
    expect(sourceLine(uri, 'trixie', undefined)).toBe(`deb ${uri} trixie main\n`);
  });

  it('are reached as the machine reaches them, without its hooks and index lists', () => {
    const dump = [
      'Acquire::http::Proxy "http://proxy.example:3128";',
      'Acquire::IndexTargets::deb::DEP-11::MetaKey "x";',
      'APT::Architecture "amd64";',
      'APT::Architectures:: "i386";',
      'APT::Update::Post-Invoke:: "rm -f /var/cache/apt/*.bin || true";',
      'DPkg::Post-Invoke:: "x";',
    ].join('\n');
    expect(acquireSettings(dump)).toBe(
      'Acquire::http::Proxy "http://proxy.example:3128";\nAPT::Architecture "amd64";\n',
    );
  });

  it('are named without the password in their address', () => {
    expect(withoutUserInfo('Err:1 https://me:hunter2@mirror.example/debian trixie')).toBe(
      'Err:1 https://mirror.example/debian trixie',
    );
  });
});
