/**
 * Unit files of systemd. Pure: a description of the service becomes text.
 *
 * Hardened as far as a rekey and its hooks allow (systemd.exec(5)): the pair's
 * folders are the only ones that can be written.
 */

/** A service that keeps one pair fresh. */
export interface UnitPlan {
  /** `host`; undefined for a template, whose paths have `%i`. */
  readonly instance: string | undefined;
  /** Path of the program, and what comes before its own words (`deno run …`). */
  readonly program: readonly string[];
  /** The words behind `ca rekey`, without --daemon, every path absolute. */
  readonly words: readonly string[];
  /** Files that only this service may read, by the name it finds them under. */
  readonly credentials: Readonly<Record<string, string>>;
  /** Folders that the service writes. */
  readonly writes: readonly string[];
  /** Every path that it uses, to see what may be hidden from it. */
  readonly paths: readonly string[];
  readonly user: string | undefined;
  /** It signals a process that may be another user's. */
  readonly signals: boolean;
  /** It writes files for another user than its own. */
  readonly givesAway: boolean;
  /** The unit that is started when this one fails. */
  readonly onFailure: string | undefined;
  /** The folder of the settings that the line lacks; undefined: all are in it. */
  readonly settings: string | undefined;
  readonly certificateFile: string;
  /** A line of its own decides when: else two thirds of the life. */
  readonly hasOwnDue: boolean;
}

export interface UnitFile {
  readonly name: string;
  readonly text: string;
}

/** The daemon as a service. */
export function daemonUnit(plan: UnitPlan): readonly UnitFile[] {
  const name = `step-rekey@${plan.instance ?? ""}.service`;
  return [{
    name,
    text: unitText({
      Unit: [...unitLines(plan), "StartLimitIntervalSec=0"],
      Service: [
        "Type=notify",
        `ExecStart=${
          line([...plan.program, "ca", "rekey", "--daemon"], plan.words)
        }`,
        "ExecReload=/bin/kill -HUP $MAINPID",
        "WatchdogSec=5min",
        "TimeoutStartSec=15min",
        "Restart=on-failure",
        "RestartSec=1min",
        // A mistake in the line or the settings does not heal by itself.
        "RestartPreventExitStatus=64 78",
        ...serviceLines(plan),
      ],
      Install: ["WantedBy=multi-user.target"],
    }),
  }];
}

/** A run now and then, and the timer that starts it. */
export function timerUnits(plan: UnitPlan): readonly UnitFile[] {
  const base = `step-rekey@${plan.instance ?? ""}`;
  const asks = plan.hasOwnDue ? [] : [
    // Its codes 1 to 254 skip the run, and 255 is a failure.
    `ExecCondition=${
      line([...plan.program, "certificate", "needs-renewal"], [
        plan.certificateFile,
      ])
    }`,
  ];
  return [
    {
      name: `${base}.service`,
      text: unitText({
        Unit: unitLines(plan),
        Service: [
          "Type=oneshot",
          ...asks,
          `ExecStart=${
            line([...plan.program, "ca", "rekey", "--force"], plan.words)
          }`,
          ...serviceLines(plan),
        ],
      }),
    },
    {
      name: `${base}.timer`,
      text: unitText({
        Unit: [`Description=Look whether ${subject(plan)} is due`],
        Timer: [
          "OnCalendar=*:1/15",
          "RandomizedDelaySec=5min",
          // Also when the machine was off at the time.
          "Persistent=yes",
        ],
        Install: ["WantedBy=timers.target"],
      }),
    },
  ];
}

function unitLines(plan: UnitPlan): readonly string[] {
  return [
    `Description=Rekey ${subject(plan)}`,
    "Documentation=man:step-rekey-ca-rekey(1)",
    "Wants=network-online.target",
    "After=network-online.target",
    ...plan.onFailure === undefined ? [] : [`OnFailure=${plan.onFailure}`],
  ];
}

function subject({ instance }: UnitPlan): string {
  return `the certificate ${instance ?? "%i"}`;
}

function serviceLines(plan: UnitPlan): readonly string[] {
  const { paths, user, signals, givesAway } = plan;
  const isIn = (...folders: string[]) =>
    paths.some((path) => folders.some((folder) => path.startsWith(folder)));
  const isRoot = user === undefined;
  const capabilities = [
    // The new files have the owner and mode of the old ones.
    ...isRoot && givesAway
      ? ["CAP_CHOWN", "CAP_FOWNER", "CAP_DAC_OVERRIDE"]
      : [],
    ...isRoot && signals ? ["CAP_KILL"] : [],
  ].join(" ");
  return [
    ...user === undefined ? [] : [`User=${user}`],
    ...Object.entries(plan.credentials).map(([name, path]) =>
      `LoadCredential=${name}:${path}`
    ),
    ...settingsLines(plan),
    // Where the socket is from which it tells systemd that it is ready.
    "RuntimeDirectory=%n",
    "StateDirectory=step-rekey",
    "StateDirectoryMode=0700",
    "UMask=0077",
    "",
    `ReadWritePaths=${plan.writes.map(quoted).join(" ")}`,
    "ProtectSystem=strict",
    `ProtectHome=${
      isIn("/home/", "/root/", "/run/user/") ? "read-only" : "yes"
    }`,
    `PrivateTmp=${isIn("/tmp/", "/var/tmp/") ? "no" : "yes"}`,
    "PrivateDevices=yes",
    "PrivateMounts=yes",
    "ProtectClock=yes",
    "ProtectControlGroups=yes",
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    `ProtectProc=${signals ? "default" : "invisible"}`,
    "ProcSubset=pid",
    `CapabilityBoundingSet=${capabilities}`,
    "NoNewPrivileges=yes",
    "LockPersonality=yes",
    "MemoryDenyWriteExecute=yes",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "RemoveIPC=yes",
    "KeyringMode=private",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "SystemCallFilter=~@privileged @resources",
    ...isRoot && givesAway ? ["SystemCallFilter=@chown"] : [],
    "SystemCallErrorNumber=EPERM",
  ];
}

function settingsLines({ settings }: UnitPlan): readonly string[] {
  return settings === undefined
    // Those of a home cannot be read.
    ? ["Environment=STEPPATH=%S/step-rekey"]
    : [
      `Environment=STEPPATH=${settings}`,
      `EnvironmentFile=-${settings}/%i.env`,
    ];
}

function unitText(
  sections: Readonly<Record<string, readonly string[]>>,
): string {
  return Object.entries(sections).map(([title, lines]) =>
    `[${title}]\n${lines.join("\n")}\n`
  ).join("\n");
}

function line(fixed: readonly string[], words: readonly string[]): string {
  return [...fixed, ...words].map(quoted).join(" ");
}

/**
 * One word of a line of systemd (systemd.syntax(7), "Quoting"); `$` would name a
 * variable. `%` is the caller's to double where it is no specifier.
 */
function quoted(word: string): string {
  const text = word.replaceAll("$", () => "$$");
  if (/^[\w@%+=:,./$-]+$/.test(text)) return text;
  return `"${text.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n")}"`;
}
