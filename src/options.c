#include "options.h"

/* clang-format off */
#define GENERAL "Options:"
#define CONNECTION "Connection options:"
#define WALLET "Wallet options:"
#define DEBUG "Debugging/Testing options:"
#define CHAIN "Chain selection options:"
#define RELAY "Node relay options:"
#define BLOCKS "Block creation options:"
#define RPC "RPC server options:"
#define EXTENSION "Extension options:"

const struct cc_arg_option cc_daemon_options[] = {
    {"help", "", GENERAL, "Print this help message and exit (also -h)", CC_ARG_CLI_ONLY},
    {"h", "", GENERAL, "", CC_ARG_HIDDEN | CC_ARG_CLI_ONLY},
    {"?", "", GENERAL, "", CC_ARG_HIDDEN | CC_ARG_CLI_ONLY},
    {"version", "", GENERAL, "Print version and exit", CC_ARG_CLI_ONLY},
    {"blocknotify", "=<cmd>", GENERAL, "Execute command when the best block changes (%s in cmd is replaced by block hash)", 0},
    {"blocksonly", "", GENERAL, "Reject transactions from network peers; wallet and RPC may still send (default: 0)", 0},
    {"conf", "=<file>", GENERAL, "Specify path to read-only configuration file. Relative paths are below the data directory (default: cloudcoin.conf, with -bitcoin bitcoin.conf)", CC_ARG_CLI_ONLY},
    {"daemon", "", GENERAL, "Run in the background as a daemon and accept commands (default: 0)", 0},
    {"daemonwait", "", GENERAL, "Wait for initialization to be finished before exiting; implies -daemon (default: 0)", 0},
    {"datadir", "=<dir>", GENERAL, "Specify data directory (default: ~/.cloudcoin)", CC_ARG_NO_NEGATE},
    {"dbcache", "=<n>", GENERAL, "Database cache size <n> MiB (minimum 4, default: 450)", 0},
    {"debuglogfile", "=<file>", GENERAL, "Specify log file, below the chain's folder unless absolute; -nodebuglogfile: none (default: debug.log)", 0},
    {"includeconf", "=<file>", GENERAL, "Specify additional configuration file, relative to the data directory (only in the configuration file)", 0},
    {"maxmempool", "=<n>", GENERAL, "Keep the transaction memory pool below <n> megabytes (default: 300)", 0},
    {"mempoolexpiry", "=<n>", GENERAL, "Do not keep transactions in the mempool longer than <n> hours (default: 336)", 0},
    {"par", "=<n>", GENERAL, "Number of script verification threads (0 = auto, <0 = leave that many cores free, default: 0)", 0},
    {"persistmempool", "", GENERAL, "Save the mempool on shutdown and load it on start (default: 1)", 0},
    {"pid", "=<file>", GENERAL, "Specify pid file, below the chain's folder unless absolute (default: cloudcoind.pid)", 0},
    {"reindex", "", GENERAL, "Rebuild chain state and block index from the block files on disk", 0},
    {"reindex-chainstate", "", GENERAL, "Rebuild chain state from the blocks that are indexed now", 0},
    {"startupnotify", "=<cmd>", GENERAL, "Execute command on startup", 0},

    {"addnode", "=<host[:port]>", CONNECTION, "Add a node to connect to and keep the connection open; may be given several times", CC_ARG_NETWORK},
    {"bantime", "=<n>", CONNECTION, "Seconds for which a ban holds (default: 86400)", 0},
    {"bind", "=<addr>[:<port>]", CONNECTION, "Bind to given address and always listen on it (default: 0.0.0.0 and [::])", CC_ARG_NETWORK},
    {"connect", "=<host[:port]>", CONNECTION, "Connect only to the specified nodes; -noconnect: to none", CC_ARG_NETWORK},
    {"externalip", "=<ip>", CONNECTION, "Specify your own public address", 0},
    {"listen", "", CONNECTION, "Accept connections from outside (default: 1, with -connect 0)", 0},
    {"maxconnections", "=<n>", CONNECTION, "Maintain at most <n> automatic connections to peers (default: 125)", 0},
    {"maxreceivebuffer", "=<n>", CONNECTION, "Maximum per-connection receive buffer, <n>*1000 bytes (default: 5000)", 0},
    {"maxsendbuffer", "=<n>", CONNECTION, "Maximum per-connection send buffer, <n>*1000 bytes (default: 1000)", 0},
    {"networkactive", "", CONNECTION, "Enable all P2P network activity (default: 1)", 0},
    {"peertimeout", "=<n>", CONNECTION, "Seconds of silence after which a peer that shakes no hands is dropped (default: 60)", CC_ARG_DEBUG},
    {"port", "=<port>", CONNECTION, "Listen for connections on <port> (default: 7733, test: 17733, regtest: 17744)", CC_ARG_NETWORK},
    {"seednode", "=<host[:port]>", CONNECTION, "Connect to a node to retrieve peer addresses, and disconnect", 0},
    {"timeout", "=<n>", CONNECTION, "Socket connection timeout in milliseconds (default: 5000)", 0},
    {"whitebind", "=<[permissions@]addr>", CONNECTION, "Bind to the given address and give peers connecting to it permissions", 0},
    {"whitelistforcerelay", "", CONNECTION, "Add forcerelay permission to whitelisted peers without permissions of their own: their transactions are relayed even if they are in the mempool already (default: 0)", 0},
    {"whitelistrelay", "", CONNECTION, "Add relay permission to whitelisted peers without permissions of their own: their transactions are taken even with -blocksonly (default: 1)", 0},
    {"whitelist", "=<[permissions@]IP address or network>", CONNECTION, "Give permissions to peers from the given IP address or network", 0},

    {"disablewallet", "", WALLET, "Do not load wallets and disable wallet RPC calls", 0},
    {"fallbackfee", "=<amt>", WALLET, "A fee rate (in CLC/kvB) that is used when there is nothing to estimate from (default: 0.00001)", 0},
    {"discardfee", "=<amt>", WALLET, "Change that would cost more than it is worth at this fee rate (in CLC/kvB) becomes fee (default: 0.0001)", CC_ARG_DEBUG},
    {"maxtxfee", "=<amt>", WALLET, "Maximum total fees (in CLC) of one wallet transaction (default: 0.10)", CC_ARG_DEBUG},
    {"mintxfee", "=<amt>", WALLET, "Fee rates (in CLC/kvB) smaller than this are considered zero for making transactions (default: 0.00001)", CC_ARG_DEBUG},
    {"paytxfee", "=<amt>", WALLET, "Fee rate (in CLC/kvB) to add to transactions you send (default: 0.00)", 0},
    {"spendzeroconfchange", "", WALLET, "Spend unconfirmed change when sending (default: 1)", 0},
    {"walletdir", "=<dir>", WALLET, "Specify directory to hold wallets (default: wallets below the chain's folder)", CC_ARG_NETWORK},
    {"walletrbf", "", WALLET, "Send transactions that may be replaced (default: 1)", 0},
    {"wallet", "=<name>", WALLET, "Load the wallet of that name on startup; may be given several times", CC_ARG_NETWORK},

    {"checkblocks", "=<n>", DEBUG, "How many blocks to check at startup (default: 6, 0 = all)", CC_ARG_DEBUG},
    {"debug", "=<category>", DEBUG, "Output debugging information of that category, or of all (1); may be given several times", 0},
    {"debugexclude", "=<category>", DEBUG, "Exclude a category from -debug=1", 0},
    {"help-debug", "", DEBUG, "Print help message with debugging options and exit", CC_ARG_CLI_ONLY},
    {"logsourcelocations", "", DEBUG, "Prepend debug output with the source location (default: 0)", 0},
    {"logthreadnames", "", DEBUG, "Prepend debug output with the name of the thread (default: 0)", 0},
    {"logtimemicros", "", DEBUG, "Add microsecond precision to debug timestamps (default: 0)", CC_ARG_DEBUG},
    {"logtimestamps", "", DEBUG, "Prepend debug output with timestamp (default: 1)", 0},
    {"mocktime", "=<n>", DEBUG, "Replace actual time with <n> seconds since epoch; test chains only (default: 0)", CC_ARG_DEBUG},
    {"printtoconsole", "", DEBUG, "Send trace/debug info to console (default: 1 when no -daemon)", 0},
    {"stopatheight", "=<n>", DEBUG, "Stop running after reaching the given height in the main chain (default: 0)", CC_ARG_DEBUG},
    {"testactivationheight", "=<name@height>", DEBUG, "Set the activation height of segwit, bip34, dersig, cltv or csv; regtest only", CC_ARG_DEBUG},
    {"uacomment", "=<cmt>", DEBUG, "Append comment to the user agent string", 0},

    {"bitcoin", "", CHAIN, "Follow Bitcoin's rules to the letter; with -regtest only", 0},
    {"chain", "=<chain>", CHAIN, "Use the chain <chain> (default: main). Allowed values: main, test, regtest", 0},
    {"regtest", "", CHAIN, "Use the regression test chain. Equivalent to -chain=regtest.", 0},
    {"testnet", "", CHAIN, "Use the test chain. Equivalent to -chain=test.", 0},

    {"acceptnonstdtxn", "", RELAY, "Relay and mine \"non-standard\" transactions; test chains only", CC_ARG_DEBUG},
    {"datacarrier", "", RELAY, "Relay and mine data carrier transactions (default: 1)", 0},
    {"datacarriersize", "=<n>", RELAY, "Maximum size of an output that carries data, in bytes (default: 83)", 0},
    {"dustrelayfee", "=<amt>", RELAY, "Fee rate (in CLC/kvB) used to define dust (default: 0.00003)", CC_ARG_DEBUG},
    {"incrementalrelayfee", "=<amt>", RELAY, "Fee rate (in CLC/kvB) by which a replacement must pay more (default: 0.00001)", CC_ARG_DEBUG},
    {"limitancestorcount", "=<n>", RELAY, "Do not accept transactions with <n> or more in-mempool ancestors (default: 25)", CC_ARG_DEBUG},
    {"limitdescendantcount", "=<n>", RELAY, "Do not accept transactions that give one <n> or more in-mempool descendants (default: 25)", CC_ARG_DEBUG},
    {"mempoolfullrbf", "", RELAY, "Accept replacements without the signal of BIP 125 (default: 0)", 0},
    {"minrelaytxfee", "=<amt>", RELAY, "Fees (in CLC/kvB) smaller than this are considered zero fee for relaying and mining (default: 0.00001)", 0},
    {"permitbaremultisig", "", RELAY, "Relay non-P2SH multisig (default: 1)", 0},

    {"blockmaxweight", "=<n>", BLOCKS, "Set maximum BIP141 block weight (default: 3996000)", 0},
    {"blockmintxfee", "=<amt>", BLOCKS, "Set lowest fee rate (in CLC/kvB) for transactions to be included in block creation (default: 0.00001)", 0},
    {"blockversion", "=<n>", BLOCKS, "Override block version to test forking scenarios", CC_ARG_DEBUG},

    {"rpcallowip", "=<ip>", RPC, "Allow JSON-RPC connections from an address, network/netmask or network/CIDR; may be given several times", 0},
    {"rpcauth", "=<userpw>", RPC, "User name and HMAC-SHA-256 hashed password, <user>:<salt>$<hash>; may be given several times", 0},
    {"rpcbind", "=<addr>[:port]", RPC, "Bind to given address to listen for JSON-RPC connections. Ignored unless -rpcallowip is also passed (default: 127.0.0.1 and ::1)", CC_ARG_NETWORK},
    {"rpccookiefile", "=<loc>", RPC, "Location of the auth cookie, below the chain's folder unless absolute (default: .cookie)", 0},
    {"rpcpassword", "=<pw>", RPC, "Password for JSON-RPC connections", 0},
    {"rpcport", "=<port>", RPC, "Listen for JSON-RPC connections on <port> (default: 7732, test: 17732, regtest: 17743)", CC_ARG_NETWORK},
    {"rpcservertimeout", "=<n>", RPC, "Timeout during HTTP requests (default: 30)", CC_ARG_DEBUG},
    {"rpcthreads", "=<n>", RPC, "Number of threads to service RPC calls (default: 4)", 0},
    {"rpcuser", "=<user>", RPC, "Username for JSON-RPC connections", 0},
    {"rpcworkqueue", "=<n>", RPC, "Depth of the work queue to service RPC calls (default: 16)", CC_ARG_DEBUG},
    {"server", "", RPC, "Accept command line and JSON-RPC commands (default: 1)", 0},

    {"extension", "=<program and arguments>", EXTENSION, "Start this program and speak JSON-RPC with it over its standard input and output; may be given several times", 0},
};
/* clang-format on */

const size_t cc_daemon_option_count =
    sizeof(cc_daemon_options) / sizeof(cc_daemon_options[0]);
